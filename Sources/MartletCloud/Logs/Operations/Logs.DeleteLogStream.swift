// DeleteLogStream: a stream with all of its events.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DeleteLogStream: Operation {
    static let route = Route.target("Logs.DeleteLogStream")

    struct Input: Readable {
      let group: String
      let stream: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        stream = m.logStream()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let group = try logs.group(input.group, call.place)
      let wasThere = try await logs.blocking { () throws(Fault) -> Bool in
        try logs.folder(group).deleteStream(input.stream)
      }
      guard wasThere else { throw .logsNoStream() }
      return Empty()
    }
  }
}
