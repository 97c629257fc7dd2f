// PutDataProtectionPolicy: refused, unless it asks for no policy: messages are not searched for personal data.
// https://docs.aws.amazon.com/sns/latest/api/API_PutDataProtectionPolicy.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum PutDataProtectionPolicy: Operation {
    static let route = Route.query("SNS.PutDataProtectionPolicy")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      let topic: String
      let policy: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("ResourceArn")
        policy = m.required("DataProtectionPolicy")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Empty {
      _ = try sns.topic(input.topic, call, "PutDataProtectionPolicy", parameter: "ResourceArn")
      guard input.policy.isEmpty else { throw .notImplemented("SNS.PutDataProtectionPolicy") }
      return Empty()
    }
  }
}
