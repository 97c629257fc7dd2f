// ConfirmSubscription: confirms a subscription with the token that its endpoint was sent.
// https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum ConfirmSubscription: Operation {
    static let route = Route.query("SNS.ConfirmSubscription")

    struct Input: Readable {
      let topic: String
      let token: String
      let isProtected: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        token = m.required("Token")
        isProtected = m.text("AuthenticateOnUnsubscribe") == "true"
      }
    }

    struct Output: Writable {
      let arn: String

      func write(to w: inout Writer) { w.body { $0.member("SubscriptionArn", arn) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      // Whoever has the token may confirm, whoever that is.
      guard let topic = sns.topics.find(try TopicReference(input.topic).key) else { throw .snsNoTopic() }
      let record = try await sns.confirm(input.token, of: topic, isProtected: input.isProtected, call)
      return Output(arn: record.arn)
    }
  }
}
