// ListGroups: the groups of the account.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html
import MartletCore
import MartletWire

extension IAM {
  enum ListGroups: Operation {
    static let route = Route.query("IAM.ListGroups")

    struct Input: Readable {
      let prefix: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.iamPathPrefix()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMGroup>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let groups = iam.list(IAMGroup.self, below: input.prefix, call)
      return IAMList("Groups", try input.page.cut(groups, by: \.key.name)) { $1.write(to: &$0) }
    }
  }
}
