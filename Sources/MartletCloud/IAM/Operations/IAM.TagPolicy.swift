// TagPolicy: adds tags to a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html
import MartletCore
import MartletWire

extension IAM {
  enum TagPolicy: Operation {
    static let route = Route.query("IAM.TagPolicy")

    struct Input: Readable {
      let arn: String
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        tags = m.iamTags(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let policy = try iam.ownPolicy(input.arn, call)
      return try await iam.changeTags(IAMPolicy.self, policy.entity.name, adding: input.tags, call)
    }
  }
}
