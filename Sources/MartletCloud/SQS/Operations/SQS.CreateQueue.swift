// CreateQueue: a queue, or the one that is there already if it is the same.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum CreateQueue: Operation {
    static let route = Route.target("SQS.CreateQueue")

    struct Input: Readable {
      let name: String
      let attributes: [(key: String, value: String)]
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.sqsRequired("QueueName")
        attributes = m.map("Attributes") ?? []
        tags = m.map("tags") ?? m.map("Tags") ?? []
      }
    }

    struct Output: Writable {
      let url: String

      func write(to w: inout Writer) { w.body { $0.member("QueueUrl", url) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      let isFIFO = input.attributes.contains { $0.key == "FifoQueue" && $0.value == "true" }
      try SQSQueue.checkName(input.name, isFIFO: isFIFO)
      try SQSAttributes.check(input.attributes, isFIFO: isFIFO)
      try SQSQueue.checkTags(input.tags)
      let key = ResourceKey(place: call.place, name: input.name)
      let (store, now) = (sqs.newStore(), sqs.now / 1000)
      let queue = try await sqs.queues.change(key) { record throws(AWSError) -> SQSQueue in
        if let there = record {
          for (name, value) in input.attributes where (there.value(name) ?? "") != value {
            throw .sqsQueueExists(name)
          }
          return there
        }
        var made = SQSQueue(key: key, store: store, created: now)
        SQSAttributes.merge(input.attributes, into: &made.attributes)
        made.attributes["FifoQueue"] = nil
        made.tag(input.tags)
        try SQSAttributes.checkTogether(made.attributes)
        try sqs.checkRedrive(of: made, input.attributes)
        record = made
        return made
      }
      return Output(url: queue.url(call.host))
    }
  }
}
