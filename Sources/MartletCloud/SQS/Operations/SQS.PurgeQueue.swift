// PurgeQueue: all messages are gone at once; their rows are removed afterwards.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum PurgeQueue: Operation {
    static let route = Route.target("SQS.PurgeQueue")

    struct Input: Readable {
      let queue: SQS.QueueReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let (queue, line) = try sqs.line(input.queue, call)
      guard line.mayPurge() else { throw .sqsPurging(queue.key.name) }
      let store = sqs.newStore()
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard record != nil else { throw .sqsNoQueue() }
        record?.store = store
      }
      return Empty()
    }
  }
}
