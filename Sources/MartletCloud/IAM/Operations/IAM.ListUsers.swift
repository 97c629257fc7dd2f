// ListUsers: the users of the account.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
import MartletCore
import MartletWire

extension IAM {
  enum ListUsers: Operation {
    static let route = Route.query("IAM.ListUsers")

    struct Input: Readable {
      let prefix: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.iamPathPrefix()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMUser>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let users = iam.list(IAMUser.self, below: input.prefix, call)
      return IAMList("Users", try input.page.cut(users, by: \.key.name)) { $1.write(to: &$0, isWhole: false) }
    }
  }
}
