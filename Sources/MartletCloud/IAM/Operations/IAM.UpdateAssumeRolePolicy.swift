// UpdateAssumeRolePolicy: replaces a role's trust policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum UpdateAssumeRolePolicy: Operation {
    static let route = Route.query("IAM.UpdateAssumeRolePolicy")

    struct Input: Readable {
      let name: String
      let document: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        document = m.policyDocument()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try iam.checkTrust(input.document)
      try await iam.change(IAMRole.self, input.name, call) { (role: inout IAMRole) throws(AWSError) -> Void in
        try role.requireModifiable()
        role.trust = input.document
      }
      return Empty()
    }
  }
}
