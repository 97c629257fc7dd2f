// ListSubscriptionsByTopic: the subscriptions of one topic.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum ListSubscriptionsByTopic: Operation {
    static let route = Route.query("SNS.ListSubscriptionsByTopic")

    struct Input: Readable {
      let topic: String
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        token = m.text("NextToken")
      }
    }

    typealias Output = SubscriptionList

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let topic = try sns.topic(input.topic, call, "ListSubscriptionsByTopic")
      let all = sns.index.all(of: topic).map(\.record).sorted { $0.key.name < $1.key.name }
      let (page, token) = try SNSPage.cut(all, input.token) { $0.key.name }
      return Output(records: page, token: token)
    }
  }
}
