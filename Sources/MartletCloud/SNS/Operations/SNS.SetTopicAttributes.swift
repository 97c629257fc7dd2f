// SetTopicAttributes: changes one attribute of a topic.
// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum SetTopicAttributes: Operation {
    static let route = Route.query("SNS.SetTopicAttributes")

    struct Input: Readable {
      let topic: String
      let name: String
      let value: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        name = m.required("AttributeName")
        value = m.text("AttributeValue") ?? ""
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      let topic = try sns.topic(input.topic, call, "SetTopicAttributes")
      try SNSTopic.check(input.name, input.value, isFIFO: topic.isFIFO, isCreation: false)
      try await sns.topics.change(topic.key) { record throws(AWSError) in
        guard var changed = record else { throw .snsNoTopic() }
        changed.set(input.name, input.value)
        record = changed
      }
      return Empty()
    }
  }
}
