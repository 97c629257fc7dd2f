// UntagRole: removes tags from the role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html
import MartletCore
import MartletWire

extension IAM {
  enum UntagRole: Operation {
    static let route = Route.query("IAM.UntagRole")

    struct Input: Readable {
      let name: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        keys = m.iamTagKeys()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.changeTags(IAMRole.self, input.name, removing: input.keys, call)
    }
  }
}
