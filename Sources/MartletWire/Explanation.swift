// Why something did not reach a function: what was looked at, and what of it is in the way. For `martlet explain`.

package struct Explanation: Sendable, Equatable {
  package enum Weight: String, Sendable {
    /// It is in the way.
    case stops
    /// It may be, or it would be on AWS.
    case warns
    /// It is as it must be.
    case holds
    /// It is good to know.
    case says
  }

  package struct Finding: Sendable, Equatable {
    package let weight: Weight
    package let text: String
  }

  /// A function that would be invoked, for whoever knows functions.
  package struct FunctionCall: Sendable, Equatable {
    package let function: String
    /// The service that calls, such as `events.amazonaws.com`; nil = it has a role for that.
    package let principal: String?
    /// The ARN on whose behalf.
    package let source: String

    package init(function: String, principal: String?, source: String) {
      self.function = function
      self.principal = principal
      self.source = source
    }
  }

  /// Such as `the rule orders`.
  package let subject: String
  package private(set) var findings: [Finding] = []
  package var calls: [FunctionCall] = []

  package init(_ subject: String) { self.subject = subject }

  package mutating func stops(_ text: String) { findings.append(Finding(weight: .stops, text: text)) }
  package mutating func warns(_ text: String) { findings.append(Finding(weight: .warns, text: text)) }
  package mutating func holds(_ text: String) { findings.append(Finding(weight: .holds, text: text)) }
  package mutating func says(_ text: String) { findings.append(Finding(weight: .says, text: text)) }

  package mutating func append(_ other: Explanation) { findings += other.findings }

  /// The first thing that is in the way.
  package var verdict: String {
    findings.first { $0.weight == .stops }?.text ?? findings.first { $0.weight == .warns }?.text
      ?? "Nothing that this server knows of is in the way."
  }

  package var json: JSONValue {
    .members(
      ("subject", .string(subject)), ("verdict", .string(verdict)),
      (
        "findings",
        .array(findings.map { .members(("weight", .string($0.weight.rawValue)), ("text", .string($0.text))) })
      ))
  }
}
