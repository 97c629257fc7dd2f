// GetEncryptionConfig: with what traces are encrypted on AWS.
// https://docs.aws.amazon.com/xray/latest/api/API_GetEncryptionConfig.html
import MartletCore
import MartletWire

extension XRay {
  enum GetEncryptionConfig: Operation {
    static let route = Route.rest("XRay.GetEncryptionConfig", .post, "/EncryptionConfig")

    typealias Input = Empty

    struct Output: Writable {
      let key: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.object("EncryptionConfig") { w in
            w.member("KeyId", key)
            w.member("Status", "ACTIVE")
            w.member("Type", key == nil ? "NONE" : "KMS")
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      Output(key: xray.settings(call.place).encryptionKey)
    }
  }
}
