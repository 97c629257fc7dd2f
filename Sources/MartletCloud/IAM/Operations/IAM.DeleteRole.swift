// DeleteRole: removes a role that nothing is attached to.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum DeleteRole: Operation {
    static let route = Route.query("IAM.DeleteRole")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.delete(IAMRole.self, input.name, call) { role throws(AWSError) in
        try role.requireModifiable()
        guard role.policies.attached.isEmpty else { throw .mustDetachPolicies() }
        guard role.policies.inline.isEmpty else { throw .mustDeletePolicies() }
        let profiles = iam.instanceProfiles.newest(in: role.key.place)
        guard !profiles.contains(where: { $0.role?.lowercased() == role.key.name }) else { throw .mustLeaveProfiles() }
      }
    }
  }
}
