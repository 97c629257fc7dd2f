// Unsubscribe: ends a subscription. Whoever has the link may, unless its confirmation said otherwise.
// https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum Unsubscribe: Operation {
    static let route = Route.query("SNS.Unsubscribe")

    struct Input: Readable {
      let subscription: String

      init(_ r: Reader) throws(AWSError) { subscription = try r.body().required("SubscriptionArn") }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      let record: SNSSubscription
      if call.caller == .anonymous {
        guard let found = sns.subscriptions.find(try SubscriptionReference(input.subscription).key) else {
          return Empty()
        }
        guard !found.isProtected else { throw .snsOtherAccount(input.subscription, call, "Unsubscribe") }
        record = found
      } else {
        do throws(AWSError) {
          record = try sns.subscription(input.subscription, call, "Unsubscribe")
        } catch {
          // It need not be there.
          if error == .snsNoSubscription() { return Empty() }
          throw error
        }
      }
      try await sns.unsubscribe(record, call)
      return Empty()
    }
  }
}
