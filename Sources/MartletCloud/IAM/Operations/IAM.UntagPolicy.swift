// UntagPolicy: removes tags from a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum UntagPolicy: Operation {
    static let route = Route.query("IAM.UntagPolicy")

    struct Input: Readable {
      let arn: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        keys = m.iamTagKeys()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let policy = try iam.ownPolicy(input.arn, call)
      return try await iam.changeTags(IAMPolicy.self, policy.entity.name, removing: input.keys, call)
    }
  }
}
