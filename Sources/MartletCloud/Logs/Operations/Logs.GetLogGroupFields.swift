// GetLogGroupFields: the fields that the events of a group have, and how many of them have each.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogGroupFields.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum GetLogGroupFields: Operation {
    static let route = Route.target("Logs.GetLogGroupFields")

    struct Input: Readable {
      let group: GroupReference
      let time: Int64?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = GroupReference(m)
        time = m.time("time")
      }
    }

    struct Output: Writable {
      let fields: [(name: String, percent: Int)]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("logGroupFields", fields) { w, field in
            w.member("name", field.name)
            w.member("percent", field.percent)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let group = try logs.group(input.group, call.place)
      let quarter: Int64 = 900_000
      let given = input.time.map { $0 < 100_000_000_000 ? $0 * 1000 : $0 }
      let window = logs.window(
        group, from: given.map { $0 - quarter / 2 } ?? logs.now - quarter, to: given.map { $0 + quarter / 2 })
      return try await logs.searching { () throws(Fault) -> Output in
        var (counts, total): ([String: Int], Int) = ([:], 0)
        try logs.folder(group).forEach(window: window) { _, _, _, text in
          total += 1
          let fields = Logs.discovered(String(decoding: text, as: UTF8.self))
          for name in Set(fields.map(\.name)) { counts[name, default: 0] += 1 }
          return total < 10_000
        }
        if total > 0 {
          for name in ["@timestamp", "@ingestionTime", "@message", "@logStream", "@log", "@ptr"] {
            counts[name] = total
          }
        }
        let fields = counts.map { (name: $0.key, percent: ($0.value * 100 + total / 2) / max(1, total)) }
        return Output(fields: fields.sorted { $0.percent != $1.percent ? $0.percent > $1.percent : $0.name < $1.name })
      }
    }
  }
}
