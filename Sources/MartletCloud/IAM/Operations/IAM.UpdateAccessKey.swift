// UpdateAccessKey: switches an access key on or off.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
import MartletCore
import MartletWire

extension IAM {
  enum UpdateAccessKey: Operation {
    static let route = Route.query("IAM.UpdateAccessKey")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let user: String
      let key: String
      let status: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        user = m.iamName("UserName", longest: 128, isRequired: false)
        key = m.required("AccessKeyId", .length(16, 128), .pattern(Pattern(#"[\w]+"#)))
        status = m.required("Status", .oneOf(["Active", "Inactive", "Expired"]))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      guard input.status != "Expired" else { throw .keyStatusNotSettable(input.status) }
      let name = input.user.isEmpty ? try iam.callersName(call) : input.user
      try await iam.change(IAMUser.self, name, call) { (user: inout IAMUser) throws(AWSError) -> Void in
        guard let index = user.accessKeys.firstIndex(where: { $0.id == input.key }) else {
          throw .accessKeyNotFound(input.key)
        }
        user.accessKeys[index].isActive = input.status == "Active"
      }
      return Empty()
    }
  }
}
