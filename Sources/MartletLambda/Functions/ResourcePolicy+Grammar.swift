// Whether a text is a policy document at all, and whether it lets everybody in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
import MartletCore
import MartletWire

extension ResourcePolicy {
  /// - Throws: 400 with what is wrong, where `text` is not a policy document of a resource.
  package init(parsing text: String) throws(AWSError) {
    let document: JSONValue
    do throws(JSONFlaw) {
      document = try JSONValue(parsing: text)
    } catch {
      throw .invalidPolicy("it is not JSON: \(error.reason) at offset \(error.offset)")
    }
    try PolicyGrammar.check(document: document)
    guard let policy = ResourcePolicy(json: document) else { throw .invalidPolicy("it must be a JSON object") }
    self = policy
  }

  /// True if a statement lets everybody in on no condition.
  package var isPublic: Bool {
    statements.contains { statement in
      guard statement["Effect"]?.string == "Allow", (statement["Condition"]?.members ?? []).isEmpty else {
        return false
      }
      guard let principal = statement["Principal"] else { return true }
      let identities = principal["AWS"].map { $0.array ?? [$0] } ?? [principal]
      return identities.contains(.string("*"))
    }
  }
}

private enum PolicyGrammar {
  static func check(document: JSONValue) throws(AWSError) {
    try check(members: document, of: "it", among: ["Version", "Id", "Statement"])
    if let version = document["Version"], !["2012-10-17", "2008-10-17"].contains(version.string) {
      throw .invalidPolicy("Version must be 2012-10-17 or 2008-10-17")
    }
    if let id = document["Id"], id.string == nil { throw .invalidPolicy("Id must be a string") }
    guard let statement = document["Statement"] else { throw .invalidPolicy("Statement is missing") }
    let statements = statement.array ?? [statement]
    guard !statements.isEmpty else { throw .invalidPolicy("Statement must not be empty") }
    var ids: Set<String> = []
    for statement in statements {
      try check(statement: statement)
      if let id = statement["Sid"]?.string, !ids.insert(id).inserted {
        throw .invalidPolicy("the Sid \(id) is used twice")
      }
    }
  }

  /// An object that has only known members, each once.
  private static func check(members value: JSONValue, of what: String, among names: Set<String>) throws(AWSError) {
    guard let members = value.members else { throw .invalidPolicy("\(what) must be a JSON object") }
    var seen: Set<String> = []
    for member in members {
      guard names.contains(member.name) else { throw .invalidPolicy("\(what) must not have \(member.name)") }
      guard seen.insert(member.name).inserted else { throw .invalidPolicy("\(what) has \(member.name) twice") }
    }
  }

  private static func check(statement: JSONValue) throws(AWSError) {
    try check(
      members: statement, of: "a statement",
      among: [
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
      ])
    if let id = statement["Sid"], id.string?.isEmpty != false {
      throw .invalidPolicy("Sid must be a string that is not empty")
    }
    guard ["Allow", "Deny"].contains(statement["Effect"]?.string) else {
      throw .invalidPolicy("Effect must be Allow or Deny")
    }
    for name in ["Principal", "Action", "Resource"] where (statement[name] == nil) == (statement["Not\(name)"] == nil) {
      throw .invalidPolicy("a statement must have either \(name) or Not\(name)")
    }
    if let principal = statement["Principal"] ?? statement["NotPrincipal"] { try check(principal: principal) }
    if let action = statement["Action"] ?? statement["NotAction"] {
      for text in try strings(action, "Action") where text != "*" && !text.hasPrefix("lambda:") {
        throw .invalidPolicy("the Action \(text) is none of Lambda's")
      }
    }
    if let resource = statement["Resource"] ?? statement["NotResource"] { _ = try strings(resource, "Resource") }
    if let condition = statement["Condition"] { try check(condition: condition) }
  }

  private static func check(principal: JSONValue) throws(AWSError) {
    if principal == .string("*") { return }
    try check(members: principal, of: "a Principal", among: ["AWS", "Service", "Federated", "CanonicalUser"])
    guard let members = principal.members, !members.isEmpty else {
      throw .invalidPolicy("a Principal must not be empty")
    }
    for member in members { _ = try strings(member.value, "Principal") }
  }

  private static func check(condition: JSONValue) throws(AWSError) {
    guard let operators = condition.members else { throw .invalidPolicy("a Condition must be a JSON object") }
    for comparison in operators {
      guard let keys = comparison.value.members else {
        throw .invalidPolicy("\(comparison.name) of a Condition must be a JSON object")
      }
      for key in keys {
        for value in key.value.array ?? [key.value] where !isScalar(value) {
          throw .invalidPolicy("the values of \(key.name) must be strings, numbers or booleans")
        }
      }
    }
  }

  private static func isScalar(_ value: JSONValue) -> Bool {
    switch value {
    case .string, .bool, .integer, .double: true
    case .null, .array, .object: false
    }
  }

  /// One string, or a list of at least one.
  private static func strings(_ value: JSONValue, _ what: String) throws(AWSError) -> [String] {
    var texts: [String] = []
    for element in value.array ?? [value] {
      guard let text = element.string, !text.isEmpty else {
        throw .invalidPolicy("\(what) must hold strings that are not empty")
      }
      texts.append(text)
    }
    guard !texts.isEmpty else { throw .invalidPolicy("\(what) must not be empty") }
    return texts
  }
}
