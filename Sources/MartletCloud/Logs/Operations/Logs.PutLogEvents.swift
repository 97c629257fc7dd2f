// PutLogEvents: events of a stream, in the order of their times. Its face is in MartletWire.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
import MartletCore
import MartletStore
import MartletWire

extension Logs.PutLogEvents: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ logs: LogsService
  ) async throws(AWSError) -> Output {
    if input.largest > Logs.largestBatch {
      throw .logsInvalid("Log event too large: \(input.largest) bytes exceeds limit of \(Logs.largestBatch)")
    }
    if input.size > Logs.largestBatch {
      throw .logsInvalid("Upload too large: \(input.size) bytes exceeds limit of \(Logs.largestBatch)")
    }
    if !input.isOrdered {
      throw .logsInvalid("Log events in a single PutLogEvents request must be in chronological order.")
    }
    if input.batch.newest - input.batch.oldest > 86_400_000 {
      throw .logsInvalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    }
    let group = try logs.group(input.group, call.place)
    let folder = try await logs.searching { () throws(Fault) -> LogFolder in try logs.folder(group) }
    guard let stream = folder.stream(input.stream) else { throw .logsNoStream() }
    let (batch, rejected) = Logs.sift(input.batch, now: logs.now, horizon: group.horizon(logs.now))
    if !batch.isEmpty {
      try await logs.put(
        batch, to: LogStreamName(place: call.place, group: input.group, stream: input.stream))
    }
    return Output(token: Logs.sequenceToken(stream), rejected: rejected)
  }
}
