// TagUser: adds tags to a user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html
import MartletCore
import MartletWire

extension IAM {
  enum TagUser: Operation {
    static let route = Route.query("IAM.TagUser")

    struct Input: Readable {
      let name: String
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun, longest: IAMUser.noun.longestGiven)
        tags = m.iamTags(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changeTags(IAMUser.self, input.name, adding: input.tags, call)
    }
  }
}
