// AddUserToGroup: puts a user into a group.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum AddUserToGroup: Operation {
    static let route = Route.query("IAM.AddUserToGroup")

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
      let limit = iam.limits.groupsPerUser
      try await iam.change(IAMUser.self, input.user, call) { (user: inout IAMUser) throws(AWSError) -> Void in
        guard let group = iam.groups.newest(IAMService.key(input.group, call)) else {
          throw .iamNotFound(IAMGroup.noun, input.group)
        }
        if user.groups.contains(group.entity.id) { return }
        guard user.groups.count < limit else { throw .quota("GroupsPerUser", limit) }
        user.groups.append(group.entity.id)
      }
      return Empty()
    }
  }
}
