// PutRecord: a record into a stream; it is on disk when this is answered. Its face is in MartletWire.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
import MartletCore
import MartletWire

extension Kinesis.PutRecord: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ kinesis: KinesisService
  ) async throws(AWSError) -> Output {
    let stream = try kinesis.find(input.stream, call)
    try kinesis.check([input.record], for: stream, isBatch: false)
    if input.isDryRun { throw .kinesisDryRun() }
    let (placed, encryption) = try await kinesis.put([input.record], to: stream)
    return Output(placed: placed[0], encryption: encryption)
  }
}
