// CreatePolicyVersion: a further version of a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
import MartletCore
import MartletWire

extension IAM {
  enum CreatePolicyVersion: Operation {
    static let route = Route.query("IAM.CreatePolicyVersion")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let arn: String
      let document: String
      let isDefault: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        document = m.policyDocument()
        isDefault = m.bool("SetAsDefault") ?? false
      }
    }

    struct Output: Writable {
      let version: PolicyVersion
      let isDefault: Bool

      func write(to w: inout Writer) {
        w.body { $0.object("PolicyVersion") { version.write(to: &$0, isDefault: isDefault, withDocument: false) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      _ = try PolicyDocument(parsing: input.document, for: .identity)
      try iam.checkPolicySize(input.document)
      let (limit, world) = (iam.limits.versionsPerPolicy, iam.world)
      return try await iam.changePolicy(input.arn, call) { (after: inout IAMPolicy?) throws(AWSError) -> Output in
        guard var policy = after else { throw .policyNotFound(input.arn) }
        guard policy.versions.count < limit else { throw .tooManyVersions(limit) }
        let version = PolicyVersion(number: policy.nextNumber, document: input.document, created: world.now())
        policy.nextNumber += 1
        policy.versions.append(version)
        policy.updated = world.now()
        if input.isDefault { policy.defaultNumber = version.number }
        after = policy
        return Output(version: version, isDefault: input.isDefault)
      }
    }
  }
}
