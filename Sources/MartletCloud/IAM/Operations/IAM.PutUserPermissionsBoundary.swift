// PutUserPermissionsBoundary: bounds what a user may do by a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
import MartletCore
import MartletWire

extension IAM {
  enum PutUserPermissionsBoundary: Operation {
    static let route = Route.query("IAM.PutUserPermissionsBoundary")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let name: String
      let boundary: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun)
        boundary = m.policyARN("PermissionsBoundary")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.setBoundary(IAMUser.self, input.name, input.boundary, call)
    }
  }
}
