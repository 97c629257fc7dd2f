// DeleteInstanceProfile: removes an instance profile without a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteInstanceProfile: Operation {
    static let route = Route.query("IAM.DeleteInstanceProfile")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMInstanceProfile.noun)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.delete(IAMInstanceProfile.self, input.name, call) { profile throws(AWSError) in
        guard profile.role == nil else { throw .mustLeaveProfiles() }
      }
    }
  }
}
