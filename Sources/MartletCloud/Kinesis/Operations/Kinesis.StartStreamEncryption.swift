// StartStreamEncryption: with which key the records of a stream are to be encrypted. Kept; nothing is encrypted yet.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StartStreamEncryption.html
import MartletCore
import MartletWire

extension Kinesis {
  enum StartStreamEncryption: Operation {
    static let route = Route.target("Kinesis.StartStreamEncryption")

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
        stream.encryptionKey = input.encryptionKey
      }
      return Empty()
    }
  }
}
