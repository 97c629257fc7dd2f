// TagQueue: adds tags, or changes their values.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum TagQueue: Operation {
    static let route = Route.target("SQS.TagQueue")

    struct Input: Readable {
      let queue: SQS.QueueReference
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        tags = m.map("Tags") ?? []
        if !m.contains("Tags") { m.refuse(.sqsMissing("Tags")) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let queue = try sqs.queue(input.queue, call)
      try SQSQueue.checkTags(input.tags)
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard var changed = record else { throw .sqsNoQueue() }
        changed.tag(input.tags)
        guard changed.tags.count <= SQSQueue.mostTags else { throw .sqsTooManyTags(changed.key.name) }
        record = changed
      }
      return Empty()
    }
  }
}
