// ListDeadLetterSourceQueues: the queues that send to this one what they cannot get rid of.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum ListDeadLetterSourceQueues: Operation {
    static let route = Route.target("SQS.ListDeadLetterSourceQueues")

    struct Input: Readable {
      let queue: SQS.QueueReference
      let page: SQSPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        page = SQSPage(m)
      }
    }

    struct Output: Writable {
      let urls: [String]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("queueUrls", urls)
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      let queue = try sqs.queue(input.queue, call)
      let sources = sqs.live.sources(of: queue.key).map(\.name).sorted()
      let (page, token) = try input.page.cut(sources)
      return Output(
        urls: page.compactMap { sqs.queues.find(ResourceKey(place: queue.key.place, name: $0))?.url(call.host) },
        token: token)
    }
  }
}
