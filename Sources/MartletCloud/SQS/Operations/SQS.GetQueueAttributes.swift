// GetQueueAttributes: what was set of a queue, and how many messages it has.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
import MartletCore
import MartletWire

extension SQS.GetQueueAttributes: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    let (queue, line) = try sqs.line(input.queue, call)
    if let unknown = input.names.first(where: { !SQSQueue.attributeNames.contains($0) }) {
      throw .sqsUnknownAttribute(unknown)
    }
    guard !input.names.isEmpty else { return Output(attributes: []) }
    let all = queue.shown(line.counts())
    return Output(attributes: input.names.contains("All") ? all : all.filter { input.names.contains($0.key) })
  }
}
