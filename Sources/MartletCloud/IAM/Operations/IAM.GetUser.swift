// GetUser: a user; without a name, whoever calls.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
import MartletCore
import MartletWire

extension IAM {
  enum GetUser: Operation {
    static let route = Route.query("IAM.GetUser")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = try r.body().iamName("UserName", longest: 128, isRequired: false)
      }
    }

    enum Output: Writable {
      case user(IAMUser)
      /// The root of an account has no name, and exists since the beginning.
      case root(Identity, since: Timestamp)

      func write(to w: inout Writer) {
        w.body { w in
          switch self {
          case .user(let user): w.object("User", user.write(to:))
          case .root(let root, let since):
            w.object("User") { w in
              w.member("UserId", root.id)
              w.member("Arn", root.arn)
              w.moment("CreateDate", since)
            }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      guard input.name.isEmpty else { return .user(try iam.find(IAMUser.self, input.name, call)) }
      if call.identity.isRoot { return .root(call.identity, since: iam.credentials.since) }
      return .user(try iam.find(IAMUser.self, try iam.callersName(call), call))
    }
  }
}
