// GetQueueUrl: the URL of a queue by its name.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html
import MartletCore
import MartletWire

extension SQS.GetQueueUrl: Operation {
  package static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
    let account = input.owner.flatMap { Account($0) } ?? call.place.account
    let key = ResourceKey(place: Place(account: account, region: call.place.region), name: input.name)
    let queue = try sqs.queue(SQS.QueueReference(url: "/\(account)/\(input.name)"), call)
    guard queue.key == key else { throw .sqsNoQueue() }
    return Output(url: queue.url(call.host))
  }
}
