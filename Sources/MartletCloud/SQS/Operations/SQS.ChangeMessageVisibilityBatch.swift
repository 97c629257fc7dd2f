// ChangeMessageVisibilityBatch: hides up to ten messages for longer, or gives them back.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
import MartletCore
import MartletWire

extension SQS.ChangeMessageVisibilityBatch: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    let (_, line) = try sqs.line(input.queue, call)
    var result = SQS.BatchResult<Void>()
    for entry in input.entries {
      if let refusal = sqs.hide(entry.receipt, entry.visibility, in: line) {
        result.failed.append((entry.id, refusal))
      } else {
        result.successful.append((entry.id, ()))
      }
    }
    return Output(result: result)
  }
}
