// TagInstanceProfile: adds tags to an instance profile.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagInstanceProfile.html
import MartletCore
import MartletWire

extension IAM {
  enum TagInstanceProfile: Operation {
    static let route = Route.query("IAM.TagInstanceProfile")

    struct Input: Readable {
      let name: String
      let tags: [IAMTag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMInstanceProfile.noun, longest: IAMInstanceProfile.noun.longestGiven)
        tags = m.iamTags(isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changeTags(IAMInstanceProfile.self, input.name, adding: input.tags, call)
    }
  }
}
