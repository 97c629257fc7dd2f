// DeleteMessage: a message that was received is on disk no more when the answer leaves.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
import MartletCore
import MartletWire

extension SQS {
  enum DeleteMessage: Operation {
    static let route = Route.target("SQS.DeleteMessage")

    struct Input: Readable {
      let queue: SQS.QueueReference
      let receipt: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        receipt = m.sqsRequired("ReceiptHandle")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      if let refusal = try await sqs.delete([input.receipt], from: input.queue, call).first ?? nil { throw refusal }
      return Empty()
    }
  }
}
