// SetSubscriptionAttributes: changes one attribute of a subscription; an empty value removes it.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum SetSubscriptionAttributes: Operation {
    static let route = Route.query("SNS.SetSubscriptionAttributes")

    struct Input: Readable {
      let subscription: String
      let name: String
      let value: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        subscription = m.required("SubscriptionArn")
        name = m.required("AttributeName")
        value = m.text("AttributeValue") ?? ""
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      let found = try sns.subscription(input.subscription, call, "SetSubscriptionAttributes")
      let filters = sns.topics.find(found.topic).map { topic in sns.index.all(of: topic).count { $0.filter != nil } }
      try await sns.subscriptions.change(found.key) { record throws(AWSError) in
        guard var changed = record else { throw .snsNoSubscription() }
        try SNSSubscription.check(
          input.name, input.value, changed.attributes, channel: changed.channel, topic: changed.topic,
          isCreation: false)
        if input.name == "FilterPolicy", changed.attributes["FilterPolicy"] == nil, !input.value.isEmpty {
          guard (filters ?? 0) < SNSService.mostFilters else { throw .snsTooManyFilters() }
        }
        SNSSubscription.set(input.name, input.value, in: &changed.attributes)
        record = changed
      }
      return Empty()
    }
  }
}
