// CreateLogStream: a stream in a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum CreateLogStream: Operation {
    static let route = Route.target("Logs.CreateLogStream")

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
      let now = logs.now
      let isNew = try await logs.blocking { () throws(Fault) -> Bool in
        try logs.folder(group).makeStream(input.stream, at: now, isSafe: true).isNew
      }
      guard isNew else { throw .logsStreamExists() }
      return Empty()
    }
  }
}
