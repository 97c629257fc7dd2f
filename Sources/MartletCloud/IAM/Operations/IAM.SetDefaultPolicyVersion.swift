// SetDefaultPolicyVersion: makes a version the one that counts.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
import MartletCore
import MartletWire

extension IAM {
  enum SetDefaultPolicyVersion: Operation {
    static let route = Route.query("IAM.SetDefaultPolicyVersion")
    static let stage = OperationStage.stored

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
      let world = iam.world
      try await iam.changePolicy(input.arn, call) { (policy: inout IAMPolicy?) throws(AWSError) -> Void in
        guard let version = policy?.version(input.version) else {
          throw .policyVersionNotFound(input.arn, input.version)
        }
        policy?.defaultNumber = version.number
        policy?.updated = world.now()
      }
      return Empty()
    }
  }
}
