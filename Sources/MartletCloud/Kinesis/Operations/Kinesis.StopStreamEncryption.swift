// StopStreamEncryption: takes the key away.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StopStreamEncryption.html
import MartletCore
import MartletWire

extension Kinesis {
  enum StopStreamEncryption: Operation {
    static let route = Route.target("Kinesis.StopStreamEncryption")

    struct Input: Readable {
      let stream: StreamReference
      let type: String
      let encryptionKey: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        stream = StreamReference(m)
        type = m.required("EncryptionType", .oneOf(["NONE", "KMS"]))
        encryptionKey = m.required("KeyId", .length(1, 2048))
      }
    }

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
