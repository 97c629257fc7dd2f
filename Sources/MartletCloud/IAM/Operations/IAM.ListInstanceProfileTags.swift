// ListInstanceProfileTags: the tags of the instance profile.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfileTags.html
import MartletCore
import MartletWire

extension IAM {
  enum ListInstanceProfileTags: Operation {
    static let route = Route.query("IAM.ListInstanceProfileTags")

    struct Input: Readable {
      let name: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMInstanceProfile.noun, longest: IAMInstanceProfile.noun.longestGiven)
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMTag>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.tags(IAMInstanceProfile.self, input.name, input.page, call)
    }
  }
}
