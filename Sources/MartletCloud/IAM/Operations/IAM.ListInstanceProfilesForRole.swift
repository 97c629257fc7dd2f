// ListInstanceProfilesForRole: the instance profiles that a role is in.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html
import MartletCore
import MartletWire

extension IAM {
  enum ListInstanceProfilesForRole: Operation {
    static let route = Route.query("IAM.ListInstanceProfilesForRole")

    struct Input: Readable {
      let role: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        role = m.iamName(of: IAMRole.noun)
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMInstanceProfile>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let role = try iam.find(IAMRole.self, input.role, call)
      let profiles = iam.list(IAMInstanceProfile.self, below: "/", call).filter {
        $0.role?.lowercased() == role.key.name
      }
      return IAMList("InstanceProfiles", try input.page.cut(profiles, by: \.key.name)) {
        $1.write(to: &$0, roles: [role])
      }
    }
  }
}
