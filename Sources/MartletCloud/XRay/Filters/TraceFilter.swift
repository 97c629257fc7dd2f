// A filter expression, read: which traces are meant.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
import MartletCore

package indirect enum TraceFilter: Sendable, Equatable {
  case and(TraceFilter, TraceFilter)
  case or(TraceFilter, TraceFilter)
  case not(TraceFilter)
  case flag(Flag)
  case number(NumberKey, Comparison, Double)
  case text(TextKey, TextComparison, String)
  /// nil: it is there.
  case annotation(String, Test?)
  case service(Selector?, TraceFilter?)
  case edge(Selector?, Selector?, TraceFilter?)
  /// The expression of a group, by the group's name or ARN.
  case group(isARN: Bool, String)

  package enum Flag: String, Sendable, CaseIterable {
    case ok, error, throttle, fault, partial, inferred, first, last, remote, root
  }

  package enum NumberKey: String, Sendable, CaseIterable {
    case responseTime = "responsetime"
    case duration
    case status = "http.status"
  }

  package enum TextKey: String, Sendable, CaseIterable {
    case url = "http.url"
    case method = "http.method"
    case userAgent = "http.useragent"
    case clientIP = "http.clientip"
    case user
    case name
    case type
    case account = "account.id"
    case message
    case zone = "availabilityzone"
    case instance = "instance.id"
    case resourceARN = "resource.arn"
  }

  package enum Comparison: String, Sendable, CaseIterable {
    case equal = "="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    func holds(_ a: Double, _ b: Double) -> Bool {
      switch self {
      case .equal: a == b
      case .unequal: a != b
      case .less: a < b
      case .lessOrEqual: a <= b
      case .greater: a > b
      case .greaterOrEqual: a >= b
      }
    }
  }

  package enum TextComparison: String, Sendable, CaseIterable {
    case equal = "="
    case unequal = "!="
    case contains = "CONTAINS"
    case begins = "BEGINSWITH"
    case ends = "ENDSWITH"

    func holds(_ a: String, _ b: String) -> Bool {
      switch self {
      case .equal: a == b
      case .unequal: a != b
      case .contains: b.isEmpty || a.contains(b)
      case .begins: a.hasPrefix(b)
      case .ends: a.hasSuffix(b)
      }
    }
  }

  /// What is asked of an annotation.
  package enum Test: Sendable, Equatable {
    case number(Comparison, Double)
    case text(TextComparison, String)
    case bool(Bool, isNegated: Bool)
  }

  /// Names a service: by its name, or by `id(name: "", type: "", account.id: "")`.
  package struct Selector: Sendable, Equatable {
    package var name: String?
    package var type: String?
    package var account: String?

    package init(name: String? = nil, type: String? = nil, account: String? = nil) {
      self.name = name
      self.type = type
      self.account = account
    }

    func matches(_ service: TracedService) -> Bool {
      (name == nil || name == service.name) && (type == nil || type == service.type)
        && (account == nil || account == service.account)
    }
  }

  /// The groups that it names.
  var groups: [(isARN: Bool, name: String)] {
    switch self {
    case .and(let a, let b), .or(let a, let b): a.groups + b.groups
    case .not(let a): a.groups
    case .service(_, let inner), .edge(_, _, let inner): inner?.groups ?? []
    case .group(let isARN, let name): [(isARN, name)]
    case .flag, .number, .text, .annotation: []
    }
  }

  // MARK: - Evaluation

  /// - Parameter groups: the expression of a group that the filter names; nil if it has none.
  func matches(
    _ profile: TraceProfile,
    groups: (_ isARN: Bool, _ name: String) -> TraceFilter? = { _, _ in nil }
  ) -> Bool {
    holds(profile.trace, profile, groups)
  }

  private func holds(
    _ facts: TraceFacts, _ profile: TraceProfile, _ groups: (Bool, String) -> TraceFilter?
  ) -> Bool {
    switch self {
    case .and(let a, let b):
      return a.holds(facts, profile, groups) && b.holds(facts, profile, groups)
    case .or(let a, let b):
      return a.holds(facts, profile, groups) || b.holds(facts, profile, groups)
    case .not(let a): return !a.holds(facts, profile, groups)
    case .flag(let flag): return facts.flags.contains(flag.fact)
    case .number(let key, let comparison, let number):
      return facts.numbers[key]?.contains { comparison.holds($0, number) } ?? false
    case .text(let key, let comparison, let text):
      let values = facts.texts[key] ?? []
      // That something is not so means that nothing is.
      return comparison == .unequal
        ? !values.contains(text) : values.contains { comparison.holds($0, text) }
    case .annotation(let key, let test):
      guard let values = facts.annotations[key] else { return false }
      return test.map { test in values.contains { test.holds($0) } } ?? true
    case .service(let selector, let inner):
      return profile.services.contains { service, facts in
        selector?.matches(service) ?? true && inner?.holds(facts, profile, groups) ?? true
      }
    case .edge(let from, let to, let inner):
      return profile.edges.contains { edge in
        from?.matches(edge.from) ?? true && to?.matches(edge.to) ?? true
          && inner?.holds(edge.facts, profile, groups) ?? true
      }
    case .group(let isARN, let name):
      // A group that names groups is not followed further.
      return groups(isARN, name)?.holds(facts, profile) { _, _ in nil } ?? false
    }
  }
}

extension TraceFilter.Flag {
  var fact: TraceFacts.Flags {
    switch self {
    case .ok: .ok
    case .error: .error
    case .throttle: .throttle
    case .fault: .fault
    case .partial: .partial
    case .inferred: .inferred
    case .first: .first
    case .last: .last
    case .remote: .remote
    case .root: .root
    }
  }
}

extension TraceFilter.Test {
  func holds(_ value: TraceFacts.Value) -> Bool {
    switch (self, value) {
    case (.number(let comparison, let number), .number(let found)): comparison.holds(found, number)
    case (.text(let comparison, let text), .text(let found)): comparison.holds(found, text)
    case (.bool(let flag, let isNegated), .bool(let found)): (found == flag) != isNegated
    default: false
    }
  }
}

// MARK: - Text

extension TraceFilter: CustomStringConvertible {
  /// An expression that is read as the same filter.
  package var description: String {
    switch self {
    case .and(let a, let b): return "(\(a) AND \(b))"
    case .or(let a, let b): return "(\(a) OR \(b))"
    case .not(let a): return "!(\(a))"
    case .flag(let flag): return flag.rawValue
    case .number(let key, let comparison, let number):
      return "\(key.rawValue) \(comparison.rawValue) \(number)"
    case .text(let key, let comparison, let text):
      return "\(key.rawValue) \(comparison.rawValue) \(TraceFilter.quoted(text))"
    case .annotation(let key, let test):
      let name = "annotation[\(key)]"
      switch test {
      case .number(let comparison, let number): return "\(name) \(comparison.rawValue) \(number)"
      case .text(let comparison, let text):
        return "\(name) \(comparison.rawValue) \(TraceFilter.quoted(text))"
      case .bool(let flag, let isNegated): return "\(name) \(isNegated ? "!=" : "=") \(flag)"
      case nil: return name
      }
    case .service(let selector, let inner):
      return "service(\(selector?.description ?? ""))\(TraceFilter.braced(inner))"
    case .edge(let from, let to, let inner):
      // An end that may be anything is an id without fields.
      let ends =
        from == nil && to == nil
        ? "" : "\(from?.description ?? "id()"), \(to?.description ?? "id()")"
      return "edge(\(ends))\(TraceFilter.braced(inner))"
    case .group(let isARN, let name):
      return "group.\(isARN ? "arn" : "name") = \(TraceFilter.quoted(name))"
    }
  }

  private static func braced(_ inner: TraceFilter?) -> String { inner.map { " { \($0) }" } ?? "" }

  fileprivate static func quoted(_ text: String) -> String {
    let escaped = text.reduce(into: "") { out, character in
      if character == "\"" || character == "\\" { out.append("\\") }
      out.append(character)
    }
    return "\"\(escaped)\""
  }
}

extension TraceFilter.Selector: CustomStringConvertible {
  package var description: String {
    if let name, type == nil, account == nil { return TraceFilter.quoted(name) }
    let parts = [("name", name), ("type", type), ("account.id", account)].compactMap {
      field, value in
      value.map { "\(field): \(TraceFilter.quoted($0))" }
    }
    return "id(\(parts.joined(separator: ", ")))"
  }
}
