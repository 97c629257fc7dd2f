// DeleteAccessKey: removes an access key.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
import MartletCore
import MartletWire

extension IAM {
  enum DeleteAccessKey: Operation {
    static let route = Route.query("IAM.DeleteAccessKey")

    struct Input: Readable {
      let user: String
      let key: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        user = m.iamName("UserName", longest: 128, isRequired: false)
        key = m.required("AccessKeyId", .length(16, 128), .pattern(Pattern(#"[\w]+"#)))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let name = input.user.isEmpty ? try iam.callersName(call) : input.user
      try await iam.change(IAMUser.self, name, call) { (user: inout IAMUser) throws(AWSError) -> Void in
        guard user.accessKeys.contains(where: { $0.id == input.key }) else { throw .accessKeyNotFound(input.key) }
        user.accessKeys.removeAll { $0.id == input.key }
      }
      return Empty()
    }
  }
}
