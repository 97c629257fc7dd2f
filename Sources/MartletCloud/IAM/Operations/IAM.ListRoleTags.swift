// ListRoleTags: the tags of the role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html
import MartletCore
import MartletWire

extension IAM {
  enum ListRoleTags: Operation {
    static let route = Route.query("IAM.ListRoleTags")

    struct Input: Readable {
      let name: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMTag>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.tags(IAMRole.self, input.name, input.page, call)
    }
  }
}
