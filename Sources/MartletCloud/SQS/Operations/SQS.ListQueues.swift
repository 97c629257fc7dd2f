// ListQueues: URLs, in the order of names; a page of them only if a size was asked for.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum ListQueues: Operation {
    static let route = Route.target("SQS.ListQueues")

    struct Input: Readable {
      let prefix: String
      let page: SQSPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.text("QueueNamePrefix") ?? ""
        page = SQSPage(m)
      }
    }

    struct Output: Writable {
      let urls: [String]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          if !urls.isEmpty { w.member("QueueUrls", urls) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      let names = sqs.queues.names(call.place).filter { $0.hasPrefix(input.prefix) }
      let (page, token) = try input.page.cut(names)
      let queues = page.compactMap { sqs.queues.find(ResourceKey(place: call.place, name: $0)) }
      return Output(urls: queues.map { $0.url(call.host) }, token: token)
    }
  }
}
