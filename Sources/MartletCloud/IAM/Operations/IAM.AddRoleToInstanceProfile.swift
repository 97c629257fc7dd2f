// AddRoleToInstanceProfile: puts a role into an instance profile, which holds one.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum AddRoleToInstanceProfile: Operation {
    static let route = Route.query("IAM.AddRoleToInstanceProfile")

    struct Input: Readable {
      let profile: String
      let role: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        profile = m.iamName(of: IAMInstanceProfile.noun)
        role = m.iamName(of: IAMRole.noun)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.change(IAMInstanceProfile.self, input.profile, call) {
        (profile: inout IAMInstanceProfile) throws(AWSError) -> Void in
        guard let role = iam.roles.newest(IAMService.key(input.role, call)) else {
          throw .iamNotFound(IAMRole.noun, input.role)
        }
        guard profile.role == nil else { throw .quota("InstanceSessionsPerInstanceProfile", 1) }
        profile.role = role.entity.name
      }
      return Empty()
    }
  }
}
