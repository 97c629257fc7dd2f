// PublishBatch: up to ten messages, all of which are published, or none.
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
import MartletCore
import MartletWire

extension SNS.PublishBatch: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ sns: SNSService
  ) async throws(AWSError) -> Output {
    let topic = try sns.topic(input.topic, call, "PublishBatch")
    guard !input.entries.isEmpty else { throw .snsEmptyBatch() }
    guard input.entries.count <= SNS.largestBatch else { throw .snsTooManyEntries() }
    guard Set(input.entries.map(\.id)).count == input.entries.count else { throw .snsRepeatedEntryID() }
    guard input.entries.allSatisfy({ SQSQueue.isName($0.id, longest: 80) }) else { throw .snsInvalidEntryID() }
    guard input.entries.reduce(0, { $0 + $1.outgoing.size }) <= topic.largestMessage else { throw .snsBatchTooLong() }
    var drafts: [SNSService.Draft] = []
    for entry in input.entries { drafts.append(try sns.draft(entry.outgoing, for: topic)) }
    let published = try await sns.publish(drafts, to: topic, call)
    return Output(successful: zip(input.entries, published).map { ($0.id, $1) })
  }
}
