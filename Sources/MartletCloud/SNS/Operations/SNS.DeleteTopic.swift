// DeleteTopic: removes a topic with its subscriptions; it need not be there.
// https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum DeleteTopic: Operation {
    static let route = Route.query("SNS.DeleteTopic")

    struct Input: Readable {
      let topic: String

      init(_ r: Reader) throws(AWSError) { topic = try r.body().required("TopicArn") }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      let topic: SNSTopic
      do throws(AWSError) {
        topic = try sns.topic(input.topic, call, "DeleteTopic")
      } catch {
        if error == .snsNoTopic() { return Empty() }
        throw error
      }
      try await sns.topics.change(topic.key) { record throws(AWSError) in
        if record?.store == topic.store { record = nil }
      }
      // Without their topic they are nobody's any more, also if this is cut short.
      for entry in sns.index.all(of: topic) {
        try await sns.subscriptions.change(entry.record.key) { record throws(AWSError) in record = nil }
      }
      return Empty()
    }
  }
}
