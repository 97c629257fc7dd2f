// ListAccessKeys: the access keys of a user, without their secrets.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
import MartletCore
import MartletWire

extension IAM {
  enum ListAccessKeys: Operation {
    static let route = Route.query("IAM.ListAccessKeys")

    struct Input: Readable {
      let user: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        user = m.iamName("UserName", longest: 128, isRequired: false)
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<AccessKey>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let user = try iam.find(IAMUser.self, input.user.isEmpty ? try iam.callersName(call) : input.user, call)
      let keys = user.accessKeys.sorted { $0.id < $1.id }
      return IAMList("AccessKeyMetadata", try input.page.cut(keys, by: \.id)) {
        $1.write(to: &$0, of: user.entity.name)
      }
    }
  }
}
