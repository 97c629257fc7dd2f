// ListPolicies: managed policies: the account's, AWS's, or both.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum ListPolicies: Operation {
    static let route = Route.query("IAM.ListPolicies")

    struct Input: Readable {
      let scope: String
      let onlyAttached: Bool
      let prefix: String
      let usage: String?
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        scope = m.string("Scope", .oneOf(["All", "AWS", "Local"])) ?? "All"
        onlyAttached = m.bool("OnlyAttached") ?? false
        prefix = m.iamPathPrefix()
        usage = m.string("PolicyUsageFilter", .oneOf(["PermissionsPolicy", "PermissionsBoundary"]))
        page = IAMPage(m)
      }
    }

    struct Listed: Sendable {
      let policy: IAMPolicy
      let use: PolicyUse
      /// Orders the list; ARNs are unique where names need not be.
      var order: String { "\(policy.key.name) \(policy.arn)" }
    }

    typealias Output = IAMList<Listed>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let uses = iam.uses(call)
      var policies = input.scope == "AWS" ? [] : iam.policies.list(IAMService.place(call))
      if input.scope != "Local" { policies += AWSManagedPolicies.all }
      let listed = policies.map { Listed(policy: $0, use: uses[$0.arn] ?? PolicyUse()) }
        .filter { $0.policy.entity.path.hasPrefix(input.prefix) }
        .filter { !input.onlyAttached || $0.use.attachments > 0 }
        .filter { input.usage != "PermissionsBoundary" || $0.use.boundaries > 0 }
        .filter { input.usage != "PermissionsPolicy" || $0.use.attachments > 0 }
        .sorted { $0.order < $1.order }
      return IAMList("Policies", try input.page.cut(listed, by: \.order)) {
        $1.policy.write(to: &$0, use: $1.use, isWhole: false)
      }
    }
  }
}
