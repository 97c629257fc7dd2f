// DescribeResourcePolicies: the policies of an account.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DescribeResourcePolicies: Operation {
    static let route = Route.target("Logs.DescribeResourcePolicies")

    struct Input: Readable {
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        page = LogsPage(m)
        _ = m.string("resourceArn")
        _ = m.string("policyScope", .oneOf(["ACCOUNT", "RESOURCE"]))
      }
    }

    struct Output: Writable {
      let policies: [LogsPolicy]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("resourcePolicies", policies) { w, policy in policy.write(to: &w) }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let (page, token) = input.page.cut(logs.policies.list(call.place), name: \.key.name)
      return Output(policies: page, token: token)
    }
  }
}
