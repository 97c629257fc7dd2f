// UntagQueue: removes tags.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_UntagQueue.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum UntagQueue: Operation {
    static let route = Route.target("SQS.UntagQueue")

    struct Input: Readable {
      let queue: SQS.QueueReference
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        keys = m.strings("TagKeys") ?? []
        if !m.contains("TagKeys") { m.refuse(.sqsMissing("TagKeys")) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let queue = try sqs.queue(input.queue, call)
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard record != nil else { throw .sqsNoQueue() }
        record?.tags.removeAll { input.keys.contains($0.key) }
      }
      return Empty()
    }
  }
}
