// CreateAccessKey: a new access key of a user; the only answer that shows its secret.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
import MartletCore
import MartletWire

extension IAM {
  enum CreateAccessKey: Operation {
    static let route = Route.query("IAM.CreateAccessKey")

    struct Input: Readable {
      let user: String

      init(_ r: Reader) throws(AWSError) { user = try r.body().iamName("UserName", longest: 128, isRequired: false) }
    }

    struct Output: Writable {
      let user: String
      let key: AccessKey

      func write(to w: inout Writer) {
        w.body { w in
          w.object("AccessKey") { w in
            key.write(to: &w, of: user)
            w.member("SecretAccessKey", key.secret)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let name = input.user.isEmpty ? try iam.callersName(call) : input.user
      let key = AccessKey(
        id: IAMIdentifier.accessKey("AKIA", call.place.account, iam.world), secret: IAMIdentifier.secret(iam.world),
        created: iam.world.now())
      let limit = iam.limits.accessKeysPerUser
      return try await iam.change(IAMUser.self, name, call) { (user: inout IAMUser) throws(AWSError) -> Output in
        guard user.accessKeys.count < limit else { throw .quota("AccessKeysPerUser", limit) }
        user.accessKeys.append(key)
        return Output(user: user.entity.name, key: key)
      }
    }
  }
}
