// ListPolicyVersions: the versions of a managed policy, newest first.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html
import MartletCore
import MartletWire

extension IAM {
  enum ListPolicyVersions: Operation {
    static let route = Route.query("IAM.ListPolicyVersions")

    struct Input: Readable {
      let arn: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<PolicyVersion>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let policy = try iam.policy(input.arn, call)
      // Markers go by a text that sorts as the numbers do, backwards.
      let part = try input.page.cut(policy.versions.sorted { $0.number > $1.number }) {
        String(1_000_000_000 - $0.number)
      }
      return IAMList("Versions", part) {
        $1.write(to: &$0, isDefault: $1.number == policy.defaultNumber, withDocument: false)
      }
    }
  }
}
