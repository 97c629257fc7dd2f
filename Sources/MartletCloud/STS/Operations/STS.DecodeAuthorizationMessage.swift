// DecodeAuthorizationMessage: no message is ever encoded here, so none that is sent is valid.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
import MartletCore
import MartletWire

extension STS {
  enum DecodeAuthorizationMessage: Operation {
    static let route = Route.query("STS.DecodeAuthorizationMessage")

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) { _ = try r.body().required("EncodedMessage", .length(1, 10_240)) }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
      throw .invalidAuthorizationMessage()
    }
  }
}
