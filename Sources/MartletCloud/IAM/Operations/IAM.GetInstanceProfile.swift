// GetInstanceProfile: an instance profile with its role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html
import MartletCore
import MartletWire

extension IAM {
  enum GetInstanceProfile: Operation {
    static let route = Route.query("IAM.GetInstanceProfile")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMInstanceProfile.noun)
      }
    }

    struct Output: Writable {
      let profile: IAMInstanceProfile
      let roles: [IAMRole]

      func write(to w: inout Writer) {
        w.body { $0.object("InstanceProfile") { profile.write(to: &$0, roles: roles) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let profile = try iam.find(IAMInstanceProfile.self, input.name, call)
      return Output(profile: profile, roles: iam.roles(of: profile))
    }
  }
}
