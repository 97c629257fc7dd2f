// GetSubscriptionAttributes: what was set of a subscription, and what was not.
// https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum GetSubscriptionAttributes: Operation {
    static let route = Route.query("SNS.GetSubscriptionAttributes")

    struct Input: Readable {
      let subscription: String

      init(_ r: Reader) throws(AWSError) { subscription = try r.body().required("SubscriptionArn") }
    }

    struct Output: Writable {
      let attributes: [(key: String, value: String)]

      func write(to w: inout Writer) { w.body { $0.member("Attributes", attributes) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let record = try sns.subscription(input.subscription, call, "GetSubscriptionAttributes")
      return Output(attributes: record.shown(sns.topics.find(record.topic)))
    }
  }
}
