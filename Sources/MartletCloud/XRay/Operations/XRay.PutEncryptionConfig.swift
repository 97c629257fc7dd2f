// PutEncryptionConfig: keeps with what traces are to be encrypted; nothing is.
// https://docs.aws.amazon.com/xray/latest/api/API_PutEncryptionConfig.html
import MartletCore
import MartletStore
import MartletWire

extension XRay {
  enum PutEncryptionConfig: Operation {
    static let route = Route.rest("XRay.PutEncryptionConfig", .post, "/PutEncryptionConfig")

    static let stage = OperationStage.stored

    struct Input: Readable {
      let key: String?
      let type: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        key = m.string("KeyId", .length(1, 3000))
        type = m.required("Type", .oneOf(["NONE", "KMS"]))
      }
    }

    typealias Output = GetEncryptionConfig.Output

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      guard (input.type == "KMS") == (input.key != nil) else { throw .xrayInvalidKey() }
      let key = ResourceKey(place: call.place, name: XRaySettings.name)
      try await xray.settings.change(key) { record throws(AWSError) in
        var settings = record ?? XRaySettings(key: key)
        settings.encryptionKey = input.key
        record = settings
      }
      return Output(key: input.key)
    }
  }
}
