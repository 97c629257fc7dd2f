// DeleteRolePermissionsBoundary: takes the boundary from a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteRolePermissionsBoundary: Operation {
    static let route = Route.query("IAM.DeleteRolePermissionsBoundary")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.setBoundary(IAMRole.self, input.name, nil, call)
    }
  }
}
