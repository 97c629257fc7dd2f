// What the page that made a form allows: a policy of conditions on its fields, and the errors of forms.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
import MartletCore
import MartletWire
import NIOCore

struct S3FormPolicy: Sendable {
  private let expiration: Timestamp
  private let conditions: [JSONValue]

  /// Fields that need not be mentioned.
  private static let free: Set<String> = [
    "policy", "x-amz-signature", "signature", "awsaccesskeyid", "file",
  ]

  /// - Throws: `InvalidPolicyDocument`.
  init(_ field: String) throws(AWSError) {
    guard let bytes = Base64.decode(field), let json = try? JSONValue(parsing: String(buffer: bytes)),
      let moment = json["expiration"]?.string.flatMap({ Timestamp(s3Date: $0) }),
      let conditions = json["conditions"]?.array
    else { throw .invalidPolicyDocument("Invalid Policy: Invalid JSON.") }
    expiration = moment
    self.conditions = conditions
  }

  /// - Throws: what S3 says of a form that breaks its policy.
  func check(_ form: S3Form, bucket: String, size: Int, at now: Timestamp) throws(AWSError) {
    guard now <= expiration else { throw .formRefused("Policy expired.") }
    var mentioned: Set<String> = ["bucket"]
    for condition in conditions {
      let (name, holds, shown) = try S3FormPolicy.read(condition, form, bucket)
      if let name {
        mentioned.insert(name)
        guard holds else { throw .formRefused("Policy Condition failed: \(shown)") }
      } else if let range = condition.array {
        guard size >= range[1].integer ?? 0 else { throw .formContentTooSmall(size, range[1].integer ?? 0) }
        guard size <= range[2].integer ?? .max else { throw .s3TooLarge() }
      }
    }
    let extra = form.fields.map(\.name).first { name in
      !mentioned.contains(name) && !S3FormPolicy.free.contains(name) && !name.hasPrefix("x-ignore-")
    }
    if let extra { throw .formRefused("Extra input fields: \(extra)") }
  }

  /// - Returns: the field that a condition is about (nil: the content's length), whether it holds, and how it is shown.
  private static func read(
    _ condition: JSONValue, _ form: S3Form, _ bucket: String
  ) throws(AWSError) -> (name: String?, holds: Bool, shown: String) {
    var (kind, field, wanted) = ("eq", "", "")
    if let member = condition.members?.first {
      guard let value = member.value.string else {
        throw .invalidPolicyDocument("Invalid Policy: Invalid Simple-Condition.")
      }
      (field, wanted) = (member.name.lowercased(), value)
    } else if let parts = condition.array, parts.count == 3, let word = parts[0].string?.lowercased() {
      if word == "content-length-range" { return (nil, true, "") }
      guard let name = parts[1].string, name.hasPrefix("$"), let value = parts[2].string,
        ["eq", "starts-with"].contains(word)
      else { throw .invalidPolicyDocument("Invalid Policy: Invalid Condition.") }
      (kind, field, wanted) = (word, name.dropFirst().lowercased(), value)
    } else {
      throw .invalidPolicyDocument("Invalid Policy: Invalid Condition.")
    }
    let given = field == "bucket" ? bucket : form[field] ?? ""
    let holds = kind == "eq" ? given.isSame(as: wanted) : given.utf8.starts(with: wanted.utf8)
    return (field, holds, "[\"\(kind)\", \"$\(field)\", \"\(wanted)\"]")
  }
}

extension AWSError {
  static func malformedForm() -> AWSError {
    AWSError(
      "MalformedPOSTRequest", status: 400, "The body of your POST request is not well-formed multipart/form-data.")
  }

  static func formLacks(_ field: String) -> AWSError {
    .invalidArgument(
      "Bucket POST must contain a field named '\(field)'.  If it is specified, please check the order of the fields.",
      name: field, value: "")
  }

  static func invalidPolicyDocument(_ message: String) -> AWSError {
    AWSError("InvalidPolicyDocument", status: 400, message)
  }

  static func formRefused(_ reason: String) -> AWSError {
    AWSError("AccessDenied", status: 403, "Invalid according to Policy: \(reason)")
  }

  static func formContentTooSmall(_ size: Int, _ least: Int) -> AWSError {
    var error = AWSError("EntityTooSmall", status: 400, "Your proposed upload is smaller than the minimum allowed size")
    error.members = [("ProposedSize", String(size)), ("MinSizeAllowed", String(least))]
    return error
  }
}
