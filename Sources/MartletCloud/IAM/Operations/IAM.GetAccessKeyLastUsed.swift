// GetAccessKeyLastUsed: whose an access key is, and when it was last used since the server started.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
import MartletCore
import MartletWire

extension IAM {
  enum GetAccessKeyLastUsed: Operation {
    static let route = Route.query("IAM.GetAccessKeyLastUsed")

    struct Input: Readable {
      let key: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        key = m.required("AccessKeyId", .length(16, 128), .pattern(Pattern(#"[\w]+"#)))
      }
    }

    struct Output: Writable {
      let user: String
      let use: AccessKeyIndex.Use?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("UserName", user)
          w.object("AccessKeyLastUsed") { w in
            w.moment("LastUsedDate", use?.date)
            w.member("ServiceName", use?.service ?? "N/A")
            w.member("Region", use?.region ?? "N/A")
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      guard let user = iam.owner(ofAccessKey: input.key), user.key.place == IAMService.place(call) else {
        throw .accessKeyNotFound(input.key)
      }
      return Output(user: user.entity.name, use: iam.lastUse(ofAccessKey: input.key))
    }
  }
}
