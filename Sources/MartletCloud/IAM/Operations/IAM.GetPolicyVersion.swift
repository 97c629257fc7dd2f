// GetPolicyVersion: one version of a managed policy, with its document.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html
import MartletCore
import MartletWire

extension IAM {
  enum GetPolicyVersion: Operation {
    static let route = Route.query("IAM.GetPolicyVersion")

    struct Input: Readable {
      let arn: String
      let version: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        version = m.required("VersionId", .pattern(Pattern(#"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"#)))
      }
    }

    struct Output: Writable {
      let version: PolicyVersion
      let isDefault: Bool

      func write(to w: inout Writer) {
        w.body { $0.object("PolicyVersion") { version.write(to: &$0, isDefault: isDefault, withDocument: true) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let policy = try iam.policy(input.arn, call)
      guard let version = policy.version(input.version) else { throw .policyVersionNotFound(input.arn, input.version) }
      return Output(version: version, isDefault: version.number == policy.defaultNumber)
    }
  }
}
