// RemoveRoleFromInstanceProfile: takes the role out of an instance profile.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html
import MartletCore
import MartletWire

extension IAM {
  enum RemoveRoleFromInstanceProfile: Operation {
    static let route = Route.query("IAM.RemoveRoleFromInstanceProfile")

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
        guard profile.role?.lowercased() == input.role.lowercased() else {
          throw .roleNotInProfile(input.role, profile.entity.name)
        }
        profile.role = nil
      }
      return Empty()
    }
  }
}
