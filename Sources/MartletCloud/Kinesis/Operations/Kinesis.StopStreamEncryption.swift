// StopStreamEncryption: takes the key away.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StopStreamEncryption.html
import MartletCore
import MartletWire

extension Kinesis {
  enum StopStreamEncryption: Operation {
    static let route = Route.target("Kinesis.StopStreamEncryption")

    typealias Input = StartStreamEncryption.Input

    static let stage = OperationStage.stored

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let found = try kinesis.find(input.stream, call)
      guard input.type == "KMS" else { throw .kinesisInvalid("EncryptionType must be KMS.") }
      try await kinesis.change(found.key) { (stream: inout KinesisStream) throws(AWSError) in
        stream.encryptionKey = nil
      }
      return Empty()
    }
  }
}
