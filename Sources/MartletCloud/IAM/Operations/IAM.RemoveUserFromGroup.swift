// RemoveUserFromGroup: takes a user out of a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html
import MartletCore
import MartletWire

extension IAM {
  enum RemoveUserFromGroup: Operation {
    static let route = Route.query("IAM.RemoveUserFromGroup")

    struct Input: Readable {
      let group: String
      let user: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.iamName(of: IAMGroup.noun)
        user = m.iamName(of: IAMUser.noun, longest: 128)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let group = try iam.find(IAMGroup.self, input.group, call)
      try await iam.change(IAMUser.self, input.user, call) { (user: inout IAMUser) throws(AWSError) -> Void in
        user.groups.removeAll { $0 == group.entity.id }
      }
      return Empty()
    }
  }
}
