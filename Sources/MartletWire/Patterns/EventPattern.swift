// An event pattern, of a rule of EventBridge or a filter of an event source mapping: a pure value.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html

/// Fields of which all must match.
package struct EventPattern: Sendable, Equatable {
  /// Whose patterns: the services do not know the same operators.
  package enum Dialect: Sendable {
    /// Rules and archives of EventBridge.
    case rules
    /// Event source mappings: no `wildcard` and no `cidr`, and no field twice.
    /// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    case filters
  }

  package struct Field: Sendable, Equatable {
    package let name: String
    package let rule: Rule
  }

  package indirect enum Rule: Sendable, Equatable {
    /// An object with these fields.
    case fields(EventPattern)
    /// A leaf of which one matches.
    case leaf([Match])
    /// `$or`: one of these matches the object that the rule stands in.
    case either([EventPattern])
  }

  /// Texts that are compared without regard to case are kept in lower case.
  package enum Match: Sendable, Equatable {
    case equals(JSONValue)
    case equalsIgnoringCase(String)
    case prefix(String, ignoringCase: Bool)
    case suffix(String, ignoringCase: Bool)
    case exists(Bool)
    case numeric([Comparison])
    case wildcard(Wildcard)
    case cidr(AddressRange)
    /// None of these strings or numbers.
    case anythingBut([JSONValue])
    /// A value that none of these matches.
    indirect case anythingButAny([Match])
  }

  package struct Comparison: Sendable, Equatable {
    package enum Sign: String, Sendable, CaseIterable {
      case equal = "="
      case less = "<"
      case lessOrEqual = "<="
      case greater = ">"
      case greaterOrEqual = ">="

      var isUpper: Bool { self == .less || self == .lessOrEqual }
      var isLower: Bool { self == .greater || self == .greaterOrEqual }
    }
    package let sign: Sign
    package let value: Double
  }

  package let fields: [Field]
}

/// Why a text is no pattern, in AWS's words.
package struct EventPatternFlaw: Error, Sendable, Equatable {
  /// `Empty arrays are not allowed`
  package let reason: String
  /// The reason, and where in the text: `…\n at [Source: (String)"{…}"; line: 1, column: 7]`
  package let message: String

  /// - Parameter offset: bytes before the place.
  init(_ reason: String, in text: String, at offset: Int) {
    self.reason = reason
    let before = Array(text.utf8.prefix(offset))
    let line = before.count { $0 == 10 } + 1
    let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
    let column = String(decoding: before[start...], as: UTF8.self).utf16.count + (text.isEmpty ? 0 : 1)
    let shown = String(text.unicodeScalars.prefix(EventPatternFlaw.shown))
    let rest = text.unicodeScalars.count - shown.unicodeScalars.count
    let cut = rest > 0 ? "[truncated \(rest) chars]" : ""
    message = "\(reason)\n at [Source: (String)\"\(shown)\"\(cut); line: \(line), column: \(column)]"
  }

  /// Characters of the text that are shown.
  private static let shown = 500
}
