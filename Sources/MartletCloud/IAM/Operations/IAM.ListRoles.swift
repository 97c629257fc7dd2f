// ListRoles: the roles of the account.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
import MartletCore
import MartletWire

extension IAM {
  enum ListRoles: Operation {
    static let route = Route.query("IAM.ListRoles")

    struct Input: Readable {
      let prefix: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.iamPathPrefix()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMRole>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let roles = iam.list(IAMRole.self, below: input.prefix, call)
      return IAMList("Roles", try input.page.cut(roles, by: \.key.name)) { $1.write(to: &$0, isWhole: false) }
    }
  }
}
