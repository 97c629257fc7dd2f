// ListAccountAliases: the alias of the account, if it has one.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum ListAccountAliases: Operation {
    static let route = Route.query("IAM.ListAccountAliases")

    struct Input: Readable {
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMNames

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let aliases = iam.aliases.list(IAMService.place(call)).map(\.alias)
      return IAMNames(member: "AccountAliases", part: try input.page.cut(aliases) { $0 })
    }
  }
}
