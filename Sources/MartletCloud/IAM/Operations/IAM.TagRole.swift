// TagRole: adds tags to a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html
import MartletCore
import MartletWire

extension IAM {
  enum TagRole: Operation {
    static let route = Route.query("IAM.TagRole")

    struct Input: Readable {
      let name: String
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        tags = m.iamTags(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changeTags(IAMRole.self, input.name, adding: input.tags, call)
    }
  }
}
