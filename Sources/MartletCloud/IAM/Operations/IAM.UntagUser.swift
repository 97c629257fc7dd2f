// UntagUser: removes tags from the user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html
import MartletCore
import MartletWire

extension IAM {
  enum UntagUser: Operation {
    static let route = Route.query("IAM.UntagUser")

    struct Input: Readable {
      let name: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun, longest: IAMUser.noun.longestGiven)
        keys = m.iamTagKeys()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changeTags(IAMUser.self, input.name, removing: input.keys, call)
    }
  }
}
