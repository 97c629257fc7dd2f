// ListSubscriptions: the subscriptions of an account and region, topic by topic.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum ListSubscriptions: Operation {
    static let route = Route.query("SNS.ListSubscriptions")

    struct Input: Readable {
      let token: String?

      init(_ r: Reader) throws(AWSError) { token = try r.body().text("NextToken") }
    }

    typealias Output = SubscriptionList

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let (names, token) = try SNSPage.cut(sns.subscriptions.names(call.place), input.token) { $0 }
      let records = names.compactMap { sns.subscriptions.find(ResourceKey(place: call.place, name: $0)) }
      return Output(records: records.filter { sns.topics.find($0.topic)?.store == $0.store }, token: token)
    }
  }
}

/// A page of subscriptions.
struct SubscriptionList: Writable, Sendable {
  let records: [SNSSubscription]
  let token: String?

  func write(to w: inout Writer) {
    w.body { w in
      w.list("Subscriptions", records) { $1.write(to: &$0) }
      w.member("NextToken", token)
    }
  }
}
