// DeletePolicyVersion: removes a version that is not the default.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
import MartletCore
import MartletWire

extension IAM {
  enum DeletePolicyVersion: Operation {
    static let route = Route.query("IAM.DeletePolicyVersion")

    struct Input: Readable {
      let arn: String
      let version: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        version = m.required("VersionId", .pattern(Pattern(#"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"#)))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changePolicy(input.arn, call) { (policy: inout IAMPolicy?) throws(AWSError) -> Void in
        guard let version = policy?.version(input.version) else {
          throw .policyVersionNotFound(input.arn, input.version)
        }
        guard version.number != policy?.defaultNumber else { throw .defaultVersionNotDeletable() }
        policy?.versions.removeAll { $0.number == version.number }
      }
      return Empty()
    }
  }
}
