// GetGroup: a group and the users in it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html
import MartletCore
import MartletWire

extension IAM {
  enum GetGroup: Operation {
    static let route = Route.query("IAM.GetGroup")

    struct Input: Readable {
      let name: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMGroup.noun)
        page = IAMPage(m)
      }
    }

    struct Output: Writable {
      let group: IAMGroup
      let users: IAMPage.Part<IAMUser>

      func write(to w: inout Writer) {
        w.body { w in
          w.object("Group", group.write(to:))
          w.list("Users", users.elements) { $1.write(to: &$0, isWhole: false) }
          w.member("IsTruncated", users.marker != nil)
          w.member("Marker", users.marker)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let group = try iam.find(IAMGroup.self, input.name, call)
      let users = iam.list(IAMUser.self, below: "/", call).filter { $0.groups.contains(group.entity.id) }
      return Output(group: group, users: try input.page.cut(users, by: \.key.name))
    }
  }
}
