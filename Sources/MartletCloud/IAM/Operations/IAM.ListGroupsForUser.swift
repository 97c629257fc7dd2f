// ListGroupsForUser: the groups that a user is in.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html
import MartletCore
import MartletWire

extension IAM {
  enum ListGroupsForUser: Operation {
    static let route = Route.query("IAM.ListGroupsForUser")

    struct Input: Readable {
      let user: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        user = m.iamName(of: IAMUser.noun, longest: 128)
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMGroup>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let user = try iam.find(IAMUser.self, input.user, call)
      let groups = iam.list(IAMGroup.self, below: "/", call).filter { user.groups.contains($0.entity.id) }
      return IAMList("Groups", try input.page.cut(groups, by: \.key.name)) { $1.write(to: &$0) }
    }
  }
}
