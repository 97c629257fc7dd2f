// DeleteQueue: a queue with all its messages.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum DeleteQueue: Operation {
    static let route = Route.target("SQS.DeleteQueue")

    struct Input: Readable {
      let queue: SQS.QueueReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let queue = try sqs.queue(input.queue, call)
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard record != nil else { throw .sqsNoQueue() }
        record = nil
      }
      return Empty()
    }
  }
}
