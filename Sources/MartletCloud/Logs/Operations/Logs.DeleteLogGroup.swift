// DeleteLogGroup: a group with all of its events.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DeleteLogGroup: Operation {
    static let route = Route.target("Logs.DeleteLogGroup")

    struct Input: Readable {
      let group: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let gone = try await logs.groups.change(ResourceKey(place: call.place, name: input.group)) {
        record throws(AWSError) -> LogGroup in
        guard let group = record else { throw .logsNoGroup() }
        if group.isProtected { throw .logsProtected() }
        record = nil
        return group
      }
      try await logs.blocking { () throws(Fault) in logs.removeFolder(gone) }
      return Empty()
    }
  }
}
