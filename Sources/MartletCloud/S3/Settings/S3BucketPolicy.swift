// A bucket's policy: whether S3 takes it, and whether it lets in everybody. Nobody is refused by it yet.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
import MartletCore
import MartletWire

struct S3BucketPolicy: Sendable {
  /// As it was given.
  let text: String
  private let statements: [JSONValue]

  static let kind = "policy"
  /// Bytes.
  private static let largest = 20_480
  private static let words = [
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
  ]

  /// - Throws: `MalformedPolicy`, or `PolicyTooLarge`.
  init(_ text: String, bucket: String) throws(AWSError) {
    self.text = text
    guard text.first == "{", let json = try? JSONValue(parsing: text), let members = json.members else {
      throw .malformedBucketPolicy("Policies must be valid JSON and the first byte must be '{'")
    }
    guard text.utf8.count <= S3BucketPolicy.largest else {
      throw .malformedBucketPolicy("Policy exceeds the maximum allowed document size.")
    }
    if let version = json["Version"], !["2012-10-17", "2008-10-17"].contains(version.string) {
      throw .malformedBucketPolicy("The policy must contain a valid version string")
    }
    if let unknown = members.first(where: { !["Version", "Id", "Statement"].contains($0.name) }) {
      throw .malformedBucketPolicy("Unknown field \(unknown.name)")
    }
    guard let statement = json["Statement"] else { throw .malformedBucketPolicy("Missing required field Statement") }
    statements = statement.array ?? [statement]
    guard !statements.isEmpty else { throw .malformedBucketPolicy("Could not parse the policy: Statement is empty!") }
    for statement in statements { try S3BucketPolicy.check(statement, bucket) }
  }

  private static func check(_ statement: JSONValue, _ bucket: String) throws(AWSError) {
    guard let members = statement.members else { throw .malformedBucketPolicy("Statement must be an object") }
    if let unknown = members.first(where: { !words.contains($0.name) }) {
      throw .malformedBucketPolicy("Unknown field \(unknown.name)")
    }
    guard let effect = statement["Effect"] else { throw .malformedBucketPolicy("Missing required field Effect") }
    guard ["Allow", "Deny"].contains(effect.string) else {
      throw .malformedBucketPolicy("Invalid effect: \(effect.string ?? effect.text)")
    }
    guard let principal = statement["Principal"] ?? statement["NotPrincipal"] else {
      throw .malformedBucketPolicy("Missing required field Principal")
    }
    guard principal == .string("*") || principal.members?.isEmpty == false else {
      throw .malformedBucketPolicy("Invalid principal in policy")
    }
    guard let actions = texts(statement["Action"] ?? statement["NotAction"]) else {
      throw .malformedBucketPolicy("Missing required field Action")
    }
    guard actions.allSatisfy({ $0 == "*" || $0.lowercased().hasPrefix("s3:") }) else {
      throw .malformedBucketPolicy("Policy has invalid action")
    }
    guard let resources = texts(statement["Resource"] ?? statement["NotResource"]) else {
      throw .malformedBucketPolicy("Missing required field Resource")
    }
    let name = "arn:aws:s3:::\(bucket)"
    let isOwn = resources.allSatisfy { resource in
      resource == name || resource.hasPrefix("\(name)/") || resource == "*"
        || Wildcard.matches(String(resource.prefix { $0 != "/" }), name)
    }
    guard isOwn else { throw .malformedBucketPolicy("Policy has invalid resource") }
  }

  private static func texts(_ value: JSONValue?) -> [String]? {
    guard let value else { return nil }
    let list = value.array ?? [value]
    let texts = list.compactMap(\.string)
    return texts.count == list.count && !texts.isEmpty ? texts : nil
  }

  /// Some statement lets in everybody, without a condition.
  var isPublic: Bool {
    statements.contains { statement in
      guard statement["Effect"]?.string == "Allow", statement["Condition"]?.members?.isEmpty ?? true,
        let principal = statement["Principal"]
      else { return false }
      return principal == .string("*") || S3BucketPolicy.texts(principal["AWS"])?.contains("*") == true
    }
  }
}
