// ReceiveMessage: messages that nobody else sees for a while; waits for some if it is asked to.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
import MartletCore
import MartletWire

extension SQS.ReceiveMessage: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    try await sqs.receive(input, call)
  }
}
