// UpdateRole: a role's description and longest session; what is left out stays.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
import MartletCore
import MartletWire

extension IAM {
  enum UpdateRole: Operation {
    static let route = Route.query("IAM.UpdateRole")

    struct Input: Readable {
      let name: String
      let description: String?
      let longestSession: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.iamName(of: IAMRole.noun)
        description = m.iamDescription()
        longestSession = m.integer("MaxSessionDuration", in: 3600...43_200)
      }
    }

    /// There are no members, but clients want the element around them.
    struct Output: Writable {
      func write(to w: inout Writer) { w.body { _ in } }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.change(IAMRole.self, input.name, call) { (role: inout IAMRole) throws(AWSError) -> Void in
        try role.requireModifiable()
        if let description = input.description { role.description = description }
        if let longest = input.longestSession { role.longestSession = longest }
      }
      return Output()
    }
  }
}
