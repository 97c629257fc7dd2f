// ListQueueTags: the tags of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html
import MartletCore
import MartletWire

extension SQS {
  enum ListQueueTags: Operation {
    static let route = Route.target("SQS.ListQueueTags")

    struct Input: Readable {
      let queue: SQS.QueueReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
      }
    }

    struct Output: Writable {
      let tags: [SQSQueue.Tag]

      func write(to w: inout Writer) {
        w.body { w in if !tags.isEmpty { w.member("Tags", tags.map { ($0.key, $0.value) }) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      Output(tags: try sqs.queue(input.queue, call).tags)
    }
  }
}
