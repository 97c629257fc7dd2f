// Members that many requests of CloudWatch Logs have.
import MartletCore
import MartletWire
import NIOCore

extension Logs {
  static let identifierPattern = Pattern(#"[\w#+=/:,.@-]*"#)
  static let namePattern = Pattern("[^:*]*")
}

/// A group named by its name, or by its name or ARN.
struct GroupReference: Sendable {
  let name: String?
  let identifier: String?

  /// Both members, of which a request must have one and no more.
  init(_ m: Members) {
    name = m.string("logGroupName", .length(1, 512), .pattern(Logs.groupPattern))
    identifier = m.string("logGroupIdentifier", .length(1, 2048), .pattern(Logs.identifierPattern))
    if name == nil, identifier == nil {
      m.refuse(.logsInvalid("Either logGroupName or logGroupIdentifier must be specified."))
    } else if name != nil, identifier != nil {
      m.refuse(.logsInvalid("Only one of logGroupName or logGroupIdentifier can be specified."))
    }
  }

  init(identifier: String) {
    name = nil
    self.identifier = identifier
  }

  /// The name of the group, whose ARN may end in `:*`.
  /// - Throws: ResourceNotFoundException for a group of another account or region.
  func name(in place: Place) throws(AWSError) -> String {
    if let name { return name }
    let text = identifier ?? ""
    guard text.hasPrefix("arn:") else { return text }
    guard let arn = ARN(text), arn.service == "logs", arn.resource.hasPrefix("log-group:") else {
      throw .logsInvalid("The ARN \(text) is not valid.")
    }
    guard arn.region == place.region.name, arn.account == place.account.id else { throw .logsNoGroup() }
    return String(arn.resource.dropFirst("log-group:".count).prefix { $0 != ":" })
  }
}

extension Members {
  /// Milliseconds since 1970.
  func time(_ name: String) -> Int64? { integer(name, in: 0...Int.max).map { Int64($0) } }

  func tags(_ name: String, isRequired: Bool) -> [(key: String, value: String)] {
    let keys: [Constraint] = [.length(1, 128), .pattern(Logs.tagKeyPattern)]
    let texts: [Constraint] = [.length(nil, 256), .pattern(Logs.tagValuePattern)]
    if isRequired, !contains(name) { return requiredMap(name) }
    return map(name, keys: keys, values: texts, count: 1...50) ?? []
  }
}

/// A page of a list that goes on behind a name.
struct LogsPage: Sendable {
  let limit: Int
  /// The last element of the page before.
  let after: String?

  init(_ m: Members, limit name: String = "limit", upTo largest: Int = 50) {
    limit = m.integer(name, in: 1...largest) ?? largest
    let token = m.string("nextToken", .length(1, nil))
    after = token.flatMap { LogsToken.text($0) }
    if token != nil, after == nil { m.refuse(.logsInvalid("The specified nextToken is invalid.")) }
  }

  /// What is behind the page before, and the token for what is behind this one.
  func cut<T>(_ all: some Sequence<T>, name: (T) -> String, isBefore: (String, String) -> Bool = { $0 < $1 })
    -> (page: [T], token: String?)
  {
    let rest = all.filter { element in after.map { isBefore($0, name(element)) } ?? true }
    let page = Array(rest.prefix(limit))
    return (page, rest.count > limit ? page.last.map { LogsToken.make(name($0)) } : nil)
  }
}

/// Texts that clients hand back and do not read.
enum LogsToken {
  static func make(_ text: String) -> String { Base64.encode(Array("\(text)".utf8)) }

  static func text(_ token: String) -> String? {
    guard let bytes = Base64.decode(token) else { return nil }
    return String(buffer: bytes)
  }
}
