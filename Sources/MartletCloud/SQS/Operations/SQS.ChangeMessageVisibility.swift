// ChangeMessageVisibility: hides a message for longer, or gives it back.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
import MartletCore
import MartletWire

extension SQS {
  enum ChangeMessageVisibility: Operation {
    static let route = Route.target("SQS.ChangeMessageVisibility")

    struct Input: Readable {
      let queue: SQS.QueueReference
      let receipt: String
      let visibility: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        receipt = m.sqsRequired("ReceiptHandle")
        visibility = m.sqsInteger("VisibilityTimeout")
        if !m.contains("VisibilityTimeout") { m.refuse(.sqsMissing("VisibilityTimeout")) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let (_, line) = try sqs.line(input.queue, call)
      if let refusal = sqs.hide(input.receipt, input.visibility, in: line) { throw refusal }
      return Empty()
    }
  }
}
