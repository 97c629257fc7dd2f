// DeleteGroup: removes a group without users and policies.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum DeleteGroup: Operation {
    static let route = Route.query("IAM.DeleteGroup")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMGroup.noun)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.delete(IAMGroup.self, input.name, call) { group throws(AWSError) in
        let users = iam.users.newest(in: group.key.place)
        guard !users.contains(where: { $0.groups.contains(group.entity.id) }) else { throw .mustLeaveGroups() }
        guard group.policies.attached.isEmpty else { throw .mustDetachPolicies() }
        guard group.policies.inline.isEmpty else { throw .mustDeletePolicies() }
      }
    }
  }
}
