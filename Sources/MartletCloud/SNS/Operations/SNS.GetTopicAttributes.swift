// GetTopicAttributes: what was set of a topic, what was not, and how many subscriptions it has.
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
import MartletCore
import MartletStore
import MartletWire

extension SNS.GetTopicAttributes: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
    let topic = try sns.topic(input.topic, call, "GetTopicAttributes")
    let states = sns.index.all(of: topic).map(\.record.state)
    return Output(
      attributes: topic.shown(
        confirmed: states.count { $0 == .confirmed }, pending: states.count { $0 == .pending }))
  }
}
