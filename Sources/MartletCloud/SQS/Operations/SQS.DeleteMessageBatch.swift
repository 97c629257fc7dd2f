// DeleteMessageBatch: up to ten messages in one transaction.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
import MartletCore
import MartletWire

extension SQS.DeleteMessageBatch: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    let refusals = try await sqs.delete(input.entries.map(\.receipt), from: input.queue, call)
    var result = SQS.BatchResult<Void>()
    for (entry, refusal) in zip(input.entries, refusals) {
      if let refusal { result.failed.append((entry.id, refusal)) } else { result.successful.append((entry.id, ())) }
    }
    return Output(result: result)
  }
}
