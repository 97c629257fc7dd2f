// SetQueueAttributes: changes what is named, keeps the rest.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum SetQueueAttributes: Operation {
    static let route = Route.target("SQS.SetQueueAttributes")

    struct Input: Readable {
      let queue: SQS.QueueReference
      let attributes: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        attributes = m.map("Attributes") ?? []
        if !m.contains("Attributes") { m.refuse(.sqsMissing("Attributes")) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let queue = try sqs.queue(input.queue, call)
      try SQSAttributes.check(input.attributes, isFIFO: queue.isFIFO)
      let now = sqs.now / 1000
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard var changed = record else { throw .sqsNoQueue() }
        SQSAttributes.merge(input.attributes, into: &changed.attributes)
        try SQSAttributes.checkTogether(changed.attributes)
        try sqs.checkRedrive(of: changed, input.attributes)
        changed.modified = now
        record = changed
      }
      return Empty()
    }
  }
}
