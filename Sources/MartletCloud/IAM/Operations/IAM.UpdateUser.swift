// UpdateUser: gives a user another name or path.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
import MartletCore
import MartletWire

extension IAM {
  enum UpdateUser: Operation {
    static let route = Route.query("IAM.UpdateUser")

    struct Input: Readable {
      let name: String
      let newName: String?
      let newPath: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMUser.noun, longest: 128)
        let given = m.iamName("NewUserName", longest: 64, isRequired: false)
        newName = given.isEmpty ? nil : given
        newPath = m.iamPath("NewPath")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.rename(IAMUser.self, input.name, to: input.newName, path: input.newPath, call)
    }
  }
}
