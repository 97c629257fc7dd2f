// CreateLogStream: a stream in a group. Its face is in MartletWire, for those that call it by the door.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
import MartletCore
import MartletStore
import MartletWire

extension Logs.CreateLogStream: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ logs: LogsService
  ) async throws(AWSError) -> Output {
    let group = try logs.group(input.group, call.place)
    let now = logs.now
    let isNew = try await logs.blocking { () throws(Fault) -> Bool in
      try logs.folder(group).makeStream(input.stream, at: now, isSafe: true).isNew
    }
    guard isNew else { throw .logsStreamExists() }
    return Empty()
  }
}
