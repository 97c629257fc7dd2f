// GetRole: a role with its trust policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
import MartletCore

extension IAM {
  package enum GetRole: Shape {
    package static let route = Route.query("IAM.GetRole")

    package struct Input: Readable, Sendable {
      package let role: String

      package init(role: String) { self.role = role }

      package init(_ r: Reader) throws(AWSError) { role = try r.body().iamName("RoleName", longest: 64) }
    }

    package struct Output: Writable, Sendable {
      package let arn: String
      /// `AROA…`
      package let id: String
      /// Writes all members of the role.
      private let writeRole: @Sendable (inout MemberWriter) -> Void

      package init(arn: String, id: String, writeRole: @escaping @Sendable (inout MemberWriter) -> Void) {
        self.arn = arn
        self.id = id
        self.writeRole = writeRole
      }

      package func write(to w: inout Writer) { w.body { $0.object("Role", writeRole) } }
    }
  }
}

extension Members {
  /// A name as IAM allows them. IAM has words of its own for a wrong character.
  /// - Parameter longest: in characters.
  package func iamName(_ name: String, longest: Int, isRequired: Bool = true) -> String {
    if !isRequired, !contains(name) { return "" }
    let value = required(name, .length(1, longest))
    let allowed = value.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      case UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: "@"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    if !allowed {
      refuse(
        AWSError(
          "ValidationException", status: 400,
          "The specified value for \(Reader.lowerCamel(name)) is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        ))
    }
    return value
  }
}
