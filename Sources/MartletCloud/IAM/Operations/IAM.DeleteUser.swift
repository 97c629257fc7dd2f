// DeleteUser: removes a user that has nothing any more.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteUser: Operation {
    static let route = Route.query("IAM.DeleteUser")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun, longest: 128)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.delete(IAMUser.self, input.name, call) { user throws(AWSError) in
        guard user.policies.attached.isEmpty else { throw .mustDetachPolicies() }
        guard user.policies.inline.isEmpty else { throw .mustDeletePolicies() }
        guard user.groups.isEmpty else { throw .mustLeaveGroups() }
        guard user.accessKeys.isEmpty else { throw .mustDeleteAccessKeys() }
      }
    }
  }
}
