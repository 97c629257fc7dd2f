// StartQuery: begins a query of Logs Insights.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum StartQuery: Operation {
    static let route = Route.target("Logs.StartQuery")

    struct Input: Readable {
      let language: String
      let groups: [GroupReference]
      let start: Int64
      let end: Int64
      let query: String
      let limit: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        language = m.string("queryLanguage", .oneOf(["CWLI", "SQL", "PPL"])) ?? "CWLI"
        let name = m.string("logGroupName", .length(1, 512), .pattern(Logs.groupPattern))
        let names = m.strings("logGroupNames", each: [.length(1, 512), .pattern(Logs.groupPattern)])
        let identifiers = m.strings("logGroupIdentifiers", each: [.length(1, 2048), .pattern(Logs.identifierPattern)])
        start = Int64(m.requiredInteger("startTime", in: 0...Int.max))
        end = Int64(m.requiredInteger("endTime", in: 0...Int.max))
        query = m.required("queryString", .length(0, 10_000))
        limit = m.integer("limit", in: 1...100_000) ?? 10_000
        groups = ((name.map { [$0] } ?? names ?? identifiers) ?? []).map { GroupReference(identifier: $0) }
        let given = [name != nil, names != nil, identifiers != nil].count { $0 }
        if given != 1 || groups.isEmpty {
          m.refuse(
            .logsInvalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified."))
        } else if groups.count > 50 {
          m.refuse(.logsInvalid("A query can have 50 log groups at most."))
        } else if start > end {
          m.refuse(.logsInvalid("The start time must not be after the end time."))
        }
      }
    }

    struct Output: Writable {
      let id: String

      func write(to w: inout Writer) {
        w.body { w in
          w.member("queryId", id)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      guard input.language == "CWLI" else { throw .notImplemented("queries in \(input.language)") }
      let query: Query
      do throws(QueryFlaw) { query = try Query(input.query) } catch { throw .logsMalformed(error) }
      var groups: [LogGroup] = []
      for reference in input.groups { groups.append(try logs.group(reference, call.place)) }
      // Times are seconds; clients that send milliseconds are understood, as by AWS.
      func milliseconds(_ time: Int64) -> Int64 { time < 100_000_000_000 ? time * 1000 : time }
      let window = milliseconds(input.start)..<(milliseconds(input.end) + 1000)
      let id = try logs.start(
        query, input.query, groups: groups, window: window, limit: input.limit, call)
      return Output(id: id)
    }
  }
}
