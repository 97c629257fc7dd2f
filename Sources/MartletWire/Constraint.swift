// What the service model demands of a value, and AWS's words when it is not so (reference/api-validation.md 3.1).
import MartletCore

/// A regular expression of the service model. The whole value must match.
package struct Pattern: Sendable {
  package let text: String

  /// The same in Swift's words, which know no lookbehind.
  private let expression: String

  /// - Parameter expression: what is matched in the place of `text`, where Swift cannot read it.
  package init(_ text: String, as expression: String? = nil) {
    self.text = text
    self.expression = expression ?? text
  }

  /// Compiled at each use: a compiled expression cannot be shared between threads, and control-plane calls are rare.
  package func matches(_ value: String) -> Bool {
    guard
      // As in Java, `\d` and the like are ASCII's.
      let regex = try? Regex(Pattern.escapingHyphens(expression)).matchingSemantics(.unicodeScalar)
        .dotMatchesNewlines().asciiOnlyDigits().asciiOnlyWhitespace().asciiOnlyWordCharacters()
    else {
      preconditionFailure("not a regular expression: \(text)")
    }
    return value.wholeMatch(of: regex) != nil
  }

  /// The models write `[a-z0-9-_]`, where the second hyphen means itself; Swift wants that said.
  static func escapingHyphens(_ text: String) -> String {
    var out = ""
    var inClass = false
    var escaped = false
    var rangeEnds = false  // the previous class member ended a range, so a hyphen after it is literal
    var position = 0  // members seen in this class
    var previousWasHyphen = false
    for character in text {
      defer { escaped = character == "\\" && !escaped }
      if !inClass {
        if character == "[", !escaped {
          inClass = true
          rangeEnds = false
          previousWasHyphen = false
          position = 0
        }
        out.append(character)
        continue
      }
      if character == "]", !escaped {
        inClass = false
      } else if character == "-", !escaped {
        if rangeEnds || position == 0 {
          out += "\\-"
          rangeEnds = false
          position += 1
          continue
        }
        previousWasHyphen = true
        out.append("-")
        continue
      } else if !(character == "\\" && !escaped) {
        rangeEnds = previousWasHyphen
        previousWasHyphen = false
        position += 1
      }
      out.append(character)
    }
    return out
  }
}

package enum Constraint: Sendable {
  case pattern(Pattern)
  /// Shortest and longest length in characters; nil = no bound.
  case length(Int?, Int?)
  case oneOf([String])

  /// AWS's words if `value` breaks it.
  func violation(_ value: String) -> String? {
    switch self {
    case .pattern(let pattern):
      return pattern.matches(value) ? nil : "Member must satisfy regular expression pattern: \(pattern.text)"
    case .length(let low, let high):
      let count = value.unicodeScalars.count
      if let low, count < low { return "Member must have length greater than or equal to \(low)" }
      if let high, count > high { return "Member must have length less than or equal to \(high)" }
      return nil
    case .oneOf(let values):
      return values.contains(value) ? nil : "Member must satisfy enum value set: [\(values.joined(separator: ", "))]"
    }
  }

  static func violation(_ value: Double, _ range: ClosedRange<Double>) -> String? {
    if value < range.lowerBound { return "Member must have value greater than or equal to \(range.lowerBound)" }
    if value > range.upperBound { return "Member must have value less than or equal to \(range.upperBound)" }
    return nil
  }

  static func violation(_ value: Int, _ range: ClosedRange<Int>) -> String? {
    if value < range.lowerBound { return "Member must have value greater than or equal to \(range.lowerBound)" }
    if value > range.upperBound { return "Member must have value less than or equal to \(range.upperBound)" }
    return nil
  }
}
