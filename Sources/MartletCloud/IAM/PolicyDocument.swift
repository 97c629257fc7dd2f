// The policy language: what a document says, and whether IAM takes it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
import MartletCore
import MartletWire

/// A document that was found correct.
struct PolicyDocument: Sendable {
  enum Use: Sendable {
    /// Managed and inline policies: what their holder may do.
    case identity
    /// Trust policies: who may assume the role.
    case trust
  }

  let statements: [Statement]

  struct Statement: Sendable {
    let allows: Bool
    /// nil = the statement says `NotPrincipal`, or nothing of principals.
    let principals: Principals?
    let notPrincipals: Principals?
    let actions: [String]
    let notActions: [String]
    let isConditional: Bool
  }

  struct Principals: Sendable {
    var isEverybody = false
    /// `Service`, `AWS`, `Federated` or `CanonicalUser`, and whom.
    var named: [(kind: String, name: String)] = []

    func contains(service: String) -> Bool {
      isEverybody || named.contains { $0.kind == "Service" && ($0.name == service || $0.name == "*") }
    }
  }
}

// MARK: - What it means

extension PolicyDocument {
  /// True if a service may assume the role. Conditions are not evaluated yet: a grant with one counts, a refusal with
  /// one does not.
  func admits(service: String, action: String = "sts:AssumeRole") -> Bool {
    var isAllowed = false
    for statement in statements where statement.covers(action) && statement.concerns(service: service) {
      if statement.allows {
        isAllowed = true
      } else if !statement.isConditional {
        return false
      }
    }
    return isAllowed
  }
}

extension PolicyDocument.Statement {
  func covers(_ action: String) -> Bool {
    if !actions.isEmpty { return actions.contains { Wildcard.matches($0.lowercased(), action.lowercased()) } }
    return !notActions.contains { Wildcard.matches($0.lowercased(), action.lowercased()) }
  }

  func concerns(service: String) -> Bool {
    if let principals { return principals.contains(service: service) }
    return notPrincipals.map { !$0.contains(service: service) } ?? false
  }
}

/// `*` stands for any characters, `?` for one.
enum Wildcard {
  static func matches(_ pattern: String, _ text: String) -> Bool {
    let (p, t) = (Array(pattern.utf8), Array(text.utf8))
    var (i, j) = (0, 0)
    var star: (pattern: Int, text: Int)?
    while j < t.count {
      if i < p.count, p[i] == UInt8(ascii: "*") {
        star = (i, j)
        i += 1
      } else if i < p.count, p[i] == t[j] || p[i] == UInt8(ascii: "?") {
        i += 1
        j += 1
      } else if let mark = star {
        i = mark.pattern + 1
        j = mark.text + 1
        star = (mark.pattern, mark.text + 1)
      } else {
        return false
      }
    }
    while i < p.count, p[i] == UInt8(ascii: "*") { i += 1 }
    return i == p.count
  }
}

// MARK: - Reading

extension PolicyDocument {
  /// - Throws: MalformedPolicyDocument.
  init(parsing text: String, for use: Use) throws(AWSError) {
    guard let json = try? JSONValue(parsing: text), let members = json.members else {
      throw .malformedPolicy(use == .trust ? "This policy contains invalid Json" : "Syntax errors in policy.")
    }
    for member in members where !["Version", "Id", "Statement"].contains(member.name) {
      throw PolicyDocument.syntax
    }
    if let version = json["Version"] {
      guard let version = version.string, ["2012-10-17", "2008-10-17"].contains(version) else {
        throw .malformedPolicy("The policy must contain a valid version string.")
      }
    }
    let list: [JSONValue]
    switch json["Statement"] {
    case .array(let elements): list = elements
    case .object(let members): list = [.object(members)]
    default: throw PolicyDocument.syntax
    }
    guard !list.isEmpty else { throw PolicyDocument.syntax }
    var statements: [Statement] = []
    var identifiers: Set<String> = []
    for element in list {
      if let sid = element["Sid"]?.string, !sid.isEmpty, !identifiers.insert(sid).inserted {
        throw .malformedPolicy("Statement IDs (SID) in a single policy must be unique.")
      }
      statements.append(try Statement(element, for: use))
    }
    self.statements = statements
  }

  fileprivate static let syntax = AWSError.malformedPolicy("Syntax errors in policy.")
}

extension PolicyDocument.Statement {
  private static let names: Set<String> = [
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
  ]

  init(_ json: JSONValue, for use: PolicyDocument.Use) throws(AWSError) {
    guard let members = json.members, members.allSatisfy({ PolicyDocument.Statement.names.contains($0.name) }),
      let effect = json["Effect"]?.string, effect == "Allow" || effect == "Deny"
    else { throw PolicyDocument.syntax }
    if let sid = json["Sid"] {
      guard let sid = sid.string else { throw PolicyDocument.syntax }
      let isPlain = sid.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
      }
      if !isPlain, use == .identity {
        throw .malformedPolicy(
          "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
      }
    }
    if let condition = json["Condition"], condition.members == nil { throw PolicyDocument.syntax }
    allows = effect == "Allow"
    isConditional = json["Condition"]?.members?.isEmpty == false
    actions = try PolicyDocument.Statement.texts(json["Action"])
    notActions = try PolicyDocument.Statement.texts(json["NotAction"])
    let resources =
      try PolicyDocument.Statement.texts(json["Resource"])
      + PolicyDocument.Statement.texts(json["NotResource"])
    principals = try json["Principal"].map { value throws(AWSError) in try PolicyDocument.Principals(value) }
    notPrincipals = try json["NotPrincipal"].map { value throws(AWSError) in try PolicyDocument.Principals(value) }
    switch use {
    case .identity: try checkIdentity(json, resources)
    case .trust: try checkTrust(json)
    }
  }

  private static func texts(_ value: JSONValue?) throws(AWSError) -> [String] {
    switch value {
    case nil: return []
    case .string(let text): return [text]
    case .array(let elements):
      let texts = elements.compactMap(\.string)
      guard texts.count == elements.count else { throw PolicyDocument.syntax }
      return texts
    default: throw PolicyDocument.syntax
    }
  }

  private func checkIdentity(_ json: JSONValue, _ resources: [String]) throws(AWSError) {
    guard principals == nil, notPrincipals == nil else {
      throw .malformedPolicy("Policy document should not specify a principal.")
    }
    guard !(actions + notActions).isEmpty else { throw .malformedPolicy("Policy statement must contain actions.") }
    for action in actions + notActions where action != "*" && !action.contains(":") {
      throw .malformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    }
    guard !resources.isEmpty else { throw .malformedPolicy("Policy statement must contain resources.") }
    for resource in resources where resource != "*" && !resource.hasPrefix("arn:") {
      throw .malformedPolicy("Resource \(resource) must be in ARN format or \"*\".")
    }
  }

  private func checkTrust(_ json: JSONValue) throws(AWSError) {
    for name in ["Resource", "NotResource"] where json[name] != nil {
      throw .malformedPolicy("Has prohibited field \(name)")
    }
    guard principals != nil || notPrincipals != nil else {
      throw .malformedPolicy("Missing required field Principal cannot be empty!")
    }
    guard !(actions + notActions).isEmpty else { throw .malformedPolicy("Missing required field Action") }
    for action in actions where action != "*" && !action.lowercased().hasPrefix("sts:") {
      throw .malformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")
    }
    for principal in (principals?.named ?? []) + (notPrincipals?.named ?? []) {
      let isKnown =
        switch principal.kind {
        case "Service": principal.name.contains(".")
        case "AWS":
          principal.name == "*" || Account(principal.name) != nil || ARN(principal.name) != nil
            || ["AIDA", "AROA"].contains { principal.name.hasPrefix($0) }
        default: true
        }
      if !isKnown {
        throw .malformedPolicy("Invalid principal in policy: \"\(principal.kind.uppercased())\":\"\(principal.name)\"")
      }
    }
  }
}

extension PolicyDocument.Principals {
  init(_ json: JSONValue) throws(AWSError) {
    if json == .string("*") {
      isEverybody = true
      return
    }
    guard let members = json.members, !members.isEmpty else {
      throw .malformedPolicy("Missing required field Principal cannot be empty!")
    }
    for member in members {
      guard ["AWS", "Service", "Federated", "CanonicalUser"].contains(member.name) else { throw PolicyDocument.syntax }
      switch member.value {
      case .string(let name): named.append((member.name, name))
      case .array(let names):
        for name in names {
          guard let name = name.string else { throw PolicyDocument.syntax }
          named.append((member.name, name))
        }
      default: throw PolicyDocument.syntax
      }
    }
  }
}

extension String {
  /// How IAM counts a policy against its quotas.
  var charactersWithoutSpace: Int { unicodeScalars.reduce(0) { $0 + ($1.properties.isWhitespace ? 0 : 1) } }
}
