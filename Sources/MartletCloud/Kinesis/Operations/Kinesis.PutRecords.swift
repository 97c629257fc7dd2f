// PutRecords: several records, in one transaction. Its face is in MartletWire.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
import MartletCore
import MartletWire

extension Kinesis.PutRecords: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ kinesis: KinesisService
  ) async throws(AWSError) -> Output {
    let stream = try kinesis.find(input.stream, call)
    try kinesis.check(input.records, for: stream, isBatch: true)
    if input.isDryRun { throw .kinesisDryRun() }
    let (placed, encryption) = try await kinesis.put(input.records, to: stream)
    return Output(placed: placed, encryption: encryption)
  }
}
