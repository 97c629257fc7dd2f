// RemovePermission: removes a statement from the topic's policy.
// https://docs.aws.amazon.com/sns/latest/api/API_RemovePermission.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum RemovePermission: Operation {
    static let route = Route.query("SNS.RemovePermission")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let topic: String
      let label: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        label = m.required("Label")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      let topic = try sns.topic(input.topic, call, "RemovePermission")
      try await sns.topics.change(topic.key) { record throws(AWSError) in
        guard var changed = record else { throw .snsNoTopic() }
        var policy = TopicPolicy(changed)
        policy.remove(label: input.label)
        changed.attributes["Policy"] = policy.text
        record = changed
      }
      return Empty()
    }
  }
}
