// ListInstanceProfiles: the instance profiles of the account.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html
import MartletCore
import MartletWire

extension IAM {
  enum ListInstanceProfiles: Operation {
    static let route = Route.query("IAM.ListInstanceProfiles")

    struct Input: Readable {
      let prefix: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.iamPathPrefix()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMInstanceProfile>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let profiles = iam.list(IAMInstanceProfile.self, below: input.prefix, call)
      return IAMList("InstanceProfiles", try input.page.cut(profiles, by: \.key.name)) {
        $1.write(to: &$0, roles: iam.roles(of: $1))
      }
    }
  }
}
