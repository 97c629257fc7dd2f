// UpdateRoleDescription: replaces a role's description.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html
import MartletCore
import MartletWire

extension IAM {
  enum UpdateRoleDescription: Operation {
    static let route = Route.query("IAM.UpdateRoleDescription")

    struct Input: Readable {
      let name: String
      let description: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        description = m.iamDescription(isRequired: true)
      }
    }

    typealias Output = IAMShown<IAMRole>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let role = try await iam.change(IAMRole.self, input.name, call) {
        (role: inout IAMRole) throws(AWSError) -> IAMRole in
        try role.requireModifiable()
        role.description = input.description
        return role
      }
      return IAMShown(role)
    }
  }
}
