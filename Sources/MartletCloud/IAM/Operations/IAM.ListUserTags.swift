// ListUserTags: the tags of the user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html
import MartletCore
import MartletWire

extension IAM {
  enum ListUserTags: Operation {
    static let route = Route.query("IAM.ListUserTags")

    struct Input: Readable {
      let name: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun, longest: IAMUser.noun.longestGiven)
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMTag>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.tags(IAMUser.self, input.name, input.page, call)
    }
  }
}
