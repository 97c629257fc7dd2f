// SendMessage: a message is on disk before the answer leaves.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
import MartletCore
import MartletWire

extension SQS.SendMessage: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    let queue = try sqs.queue(input.queue, call)
    let draft = try Draft(input.message, for: queue, sqs.world)
    guard let sent = try await sqs.send([draft], to: queue.key, call).first else { throw .sqsNoQueue() }
    return Output(sent: sent)
  }
}
