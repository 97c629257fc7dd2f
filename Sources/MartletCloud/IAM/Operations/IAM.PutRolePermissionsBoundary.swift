// PutRolePermissionsBoundary: bounds what a role may do by a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
import MartletCore
import MartletWire

extension IAM {
  enum PutRolePermissionsBoundary: Operation {
    static let route = Route.query("IAM.PutRolePermissionsBoundary")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let name: String
      let boundary: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        boundary = m.policyARN("PermissionsBoundary")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.setBoundary(IAMRole.self, input.name, input.boundary, call)
    }
  }
}
