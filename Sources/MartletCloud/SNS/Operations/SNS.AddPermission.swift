// AddPermission: adds a statement to the topic's policy, which is kept and not enforced yet.
// https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum AddPermission: Operation {
    static let route = Route.query("SNS.AddPermission")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let topic: String
      let label: String
      let accounts: [String]
      let actions: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        label = m.required("Label")
        accounts = m.requiredStrings("AWSAccountId")
        actions = m.requiredStrings("ActionName")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      let topic = try sns.topic(input.topic, call, "AddPermission")
      try await sns.topics.change(topic.key) { record throws(AWSError) in
        guard var changed = record else { throw .snsNoTopic() }
        var policy = TopicPolicy(changed)
        try policy.add(label: input.label, accounts: input.accounts, actions: input.actions, to: changed)
        changed.attributes["Policy"] = policy.text
        record = changed
      }
      return Empty()
    }
  }
}
