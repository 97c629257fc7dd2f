// GetLogRecord: an event by its pointer, field by field.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogRecord.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum GetLogRecord: Operation {
    static let route = Route.target("Logs.GetLogRecord")

    struct Input: Readable {
      let pointer: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        pointer = m.required("logRecordPointer")
        _ = m.bool("unmask")
      }
    }

    struct Output: Writable {
      let fields: [(key: String, value: String)]

      func write(to w: inout Writer) {
        w.body { w in
          w.member("logRecord", fields)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      guard let (group, event, stream) = try await logs.record(input.pointer, call.place) else {
        throw .logsNoResource("The specified log record does not exist.")
      }
      var fields: [(key: String, value: String)] = [
        ("@timestamp", String(event.position.time)), ("@ingestionTime", String(event.ingestion)),
        ("@logStream", stream), ("@log", "\(group.key.place.account):\(group.key.name)"), ("@message", event.text),
      ]
      fields += Logs.discovered(event.text).map { ($0.name, $0.value.text) }
      return Output(fields: fields)
    }
  }
}
