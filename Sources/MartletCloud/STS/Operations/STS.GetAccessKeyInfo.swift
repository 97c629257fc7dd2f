// GetAccessKeyInfo: the account that an access key belongs to, which the key itself carries.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
import MartletCore
import MartletWire

extension STS {
  enum GetAccessKeyInfo: Operation {
    static let route = Route.query("STS.GetAccessKeyInfo")

    struct Input: Readable {
      let key: String

      init(_ r: Reader) throws(AWSError) {
        key = try r.body().required("AccessKeyId", .length(16, 128), .pattern(Pattern(#"[\w]*"#)))
      }
    }

    struct Output: Writable {
      let account: Account

      func write(to w: inout Writer) { w.body { $0.member("Account", account.id) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
      guard let account = IAMIdentifier.account(ofAccessKey: input.key) else { throw .notAnAccessKey() }
      return Output(account: account)
    }
  }
}
