// DeleteUserPermissionsBoundary: takes the boundary from a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteUserPermissionsBoundary: Operation {
    static let route = Route.query("IAM.DeleteUserPermissionsBoundary")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.setBoundary(IAMUser.self, input.name, nil, call)
    }
  }
}
