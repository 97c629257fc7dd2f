// DescribeAlarmHistory: what has happened to alarms in the last thirty days.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum DescribeAlarmHistory: Operation {
    static let route = Route.target("CloudWatch.DescribeAlarmHistory")

    struct Input: Readable {
      let name: String?
      let types: [String]
      let itemType: String?
      let start: Timestamp?
      let end: Timestamp?
      let count: Int
      let token: String?
      let isAscending: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.string("AlarmName", .length(1, 255))
        _ = m.string("AlarmContributorId", .length(1, 16))
        types = m.strings("AlarmTypes", each: [.oneOf(CloudWatch.alarmTypes)]) ?? []
        itemType = m.string(
          "HistoryItemType",
          .oneOf([
            "ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction",
          ]))
        start = m.time("StartDate")
        end = m.time("EndDate")
        count = m.integer("MaxRecords", in: 1...100) ?? 100
        token = m.string("NextToken")
        isAscending = m.string("ScanBy", .oneOf(["TimestampDescending", "TimestampAscending"])) == "TimestampAscending"
      }
    }

    struct Output: Writable {
      let items: [AlarmHistoryItem]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("AlarmHistoryItems", items) { $1.write(to: &$0) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      let now = cloudWatch.world.now()
      let oldest = now + .seconds(-AlarmHistory.retention)
      let start = max(oldest, input.start ?? oldest)
      let end = input.end ?? now
      let place = call.place
      var items: [AlarmHistoryItem]
      do throws(Fault) {
        items = try await cloudWatch.database.write { try AlarmHistory.read(place, from: start, to: end, $0) }
      } catch {
        throw .service("\(error)")
      }
      items = items.filter { item in
        (input.name == nil || item.alarm == input.name) && (input.itemType == nil || item.type == input.itemType)
          && (input.types.isEmpty || input.types.contains(item.alarmType))
      }
      if !input.isAscending { items.reverse() }
      let (page, token) = try CloudWatchPage.cut(items, input.token, size: input.count)
      return Output(items: page, token: token)
    }
  }
}
