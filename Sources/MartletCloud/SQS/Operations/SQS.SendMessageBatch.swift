// SendMessageBatch: up to ten messages in one transaction; each is refused for itself.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
import MartletCore
import MartletWire

extension SQS.SendMessageBatch: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    let queue = try sqs.queue(input.queue, call)
    let size = input.entries.reduce(0) { $0 + $1.message.size }
    guard size <= SQSService.largestBatchSize else {
      throw .sqsBatchTooLong(size, limit: SQSService.largestBatchSize)
    }
    var result = SQS.BatchResult<SQS.Sent>()
    var drafts: [(id: String, draft: Draft)] = []
    for entry in input.entries {
      do throws(AWSError) {
        drafts.append((entry.id, try Draft(entry.message, for: queue, sqs.world)))
      } catch {
        result.failed.append((entry.id, error))
      }
    }
    let sent = drafts.isEmpty ? [] : try await sqs.send(drafts.map(\.draft), to: queue.key, call)
    result.successful = zip(drafts, sent).map { ($0.id, $1) }
    return Output(result: result)
  }
}
