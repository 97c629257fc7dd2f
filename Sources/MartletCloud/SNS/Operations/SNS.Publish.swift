// Publish: a message for all subscriptions of a topic, answered when it is on disk for each that wants it.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
import MartletCore
import MartletWire

extension SNS.Publish: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ sns: SNSService
  ) async throws(AWSError) -> Output {
    if input.phoneNumber != nil { throw .notImplemented("SNS.Publish to a phone number") }
    guard let arn = input.topic ?? input.target else {
      throw .snsInvalid("TopicArn or TargetArn Reason: no value for required parameter")
    }
    if arn.contains(":endpoint/") { throw .notImplemented("SNS.Publish to the endpoint of an app") }
    let topic = try sns.topic(arn, call, "Publish", parameter: input.topic == nil ? "TargetArn" : "TopicArn")
    let draft = try sns.draft(input.outgoing, for: topic)
    return Output(try await sns.publish([draft], to: topic, call)[0])
  }
}
