// UntagInstanceProfile: removes tags from the instance profile.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagInstanceProfile.html
import MartletCore
import MartletWire

extension IAM {
  enum UntagInstanceProfile: Operation {
    static let route = Route.query("IAM.UntagInstanceProfile")

    struct Input: Readable {
      let name: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMInstanceProfile.noun, longest: IAMInstanceProfile.noun.longestGiven)
        keys = m.iamTagKeys()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changeTags(IAMInstanceProfile.self, input.name, removing: input.keys, call)
    }
  }
}
