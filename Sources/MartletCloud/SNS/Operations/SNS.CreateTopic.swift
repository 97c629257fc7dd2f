// CreateTopic: a topic, or the one that is there already if it is the same.
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum CreateTopic: Operation {
    static let route = Route.query("SNS.CreateTopic")

    struct Input: Readable {
      let name: String
      let attributes: [(key: String, value: String)]
      /// nil = none were named, which no topic contradicts.
      let tags: [SNSTopic.Tag]?
      let protection: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("Name")
        attributes = m.map("Attributes") ?? []
        tags = m.contains("Tags") ? m.snsTags("Tags") : nil
        protection = m.text("DataProtectionPolicy")
      }
    }

    struct Output: Writable {
      let arn: String

      func write(to w: inout Writer) { w.body { $0.member("TopicArn", arn) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let isFIFO = input.attributes.contains { $0.key == "FifoTopic" && $0.value == "true" }
      try SNSTopic.checkName(input.name, isFIFO: isFIFO)
      for (name, value) in input.attributes {
        try SNSTopic.check(name, value, isFIFO: isFIFO, isCreation: true)
      }
      try SNSTopic.checkTags(input.tags ?? [])
      guard input.protection?.isEmpty != false else { throw .notImplemented("DataProtectionPolicy of SNS topics") }
      let key = ResourceKey(place: call.place, name: input.name)
      let store = sns.newStore()
      let topic = try await sns.topics.change(key) { record throws(AWSError) -> SNSTopic in
        if let there = record {
          for (name, value) in input.attributes where there.value(name) != value {
            throw .snsTopicDiffers("Attributes")
          }
          if let tags = input.tags, Set(tags.map { [$0.key, $0.value] }) != Set(there.tags.map { [$0.key, $0.value] }) {
            throw .snsTopicDiffers("Tags")
          }
          return there
        }
        var made = SNSTopic(key: key, store: store)
        for (name, value) in input.attributes { made.set(name, value) }
        made.tag(input.tags ?? [])
        record = made
        return made
      }
      return Output(arn: topic.arn)
    }
  }
}
