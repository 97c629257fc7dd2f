// UpdateGroup: gives a group another name or path.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html
import MartletCore
import MartletWire

extension IAM {
  enum UpdateGroup: Operation {
    static let route = Route.query("IAM.UpdateGroup")

    struct Input: Readable {
      let name: String
      let newName: String?
      let newPath: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMGroup.noun)
        let given = m.iamName("NewGroupName", longest: 128, isRequired: false)
        newName = given.isEmpty ? nil : given
        newPath = m.iamPath("NewPath")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.rename(IAMGroup.self, input.name, to: input.newName, path: input.newPath, call)
    }
  }
}
