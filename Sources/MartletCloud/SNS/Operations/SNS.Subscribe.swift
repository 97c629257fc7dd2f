// Subscribe: makes a subscription, or finds the one that is there for the endpoint.
// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum Subscribe: Operation {
    static let route = Route.query("SNS.Subscribe")

    struct Input: Readable {
      let topic: String
      let channel: String
      let endpoint: String
      let attributes: [(key: String, value: String)]
      let wantsARN: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        channel = m.required("Protocol")
        endpoint = m.text("Endpoint") ?? ""
        attributes = m.map("Attributes") ?? []
        wantsARN = m.bool("ReturnSubscriptionArn") ?? false
      }
    }

    struct Output: Writable {
      let arn: String

      func write(to w: inout Writer) { w.body { $0.member("SubscriptionArn", arn) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let channel = try SNSSubscription.channel(input.channel)
      let topic = try sns.topic(input.topic, call, "Subscribe")
      let record = try await sns.subscribe(topic, channel, input.endpoint, input.attributes, call)
      return Output(arn: record.state == .confirmed || input.wantsARN ? record.arn : "pending confirmation")
    }
  }
}
