// Conditions on the members of JSON events: `{ $.level = "ERROR" && $.user.id > 7 }`.
import MartletCore

/// `$.a.b[0]['c d']`, in which `*` stands for any member or element.
struct JSONSelector: Sendable {
  enum Step: Equatable, Sendable {
    case member([UInt8])
    case element(Int)
    case any
  }

  /// As it was written.
  let text: String
  let steps: [Step]

  /// Where in an event its values begin.
  func values(_ json: LazyJSON) -> [Int] {
    var places = [json.root]
    for step in steps {
      var next: [Int] = []
      for place in places {
        switch step {
        case .member(let name): if let value = json.member(name, of: place) { next.append(value) }
        case .element(let index): if let value = json.element(index, of: place) { next.append(value) }
        case .any:
          json.forEachMember(place) { _, value in
            next.append(value)
            return true
          }
          json.forEachElement(place) { value in
            next.append(value)
            return true
          }
        }
      }
      places = next
    }
    return places
  }
}

indirect enum JSONCondition: Sendable {
  enum Test: Sendable {
    case compare(PatternComparison, PatternOperand)
    case isNull
    case isTrue
    case isFalse
    case notExists
    case exists
  }

  case test(JSONSelector, Test)
  case all([JSONCondition])
  case any([JSONCondition])

  var selectors: [JSONSelector] {
    switch self {
    case .test(let selector, _): [selector]
    case .all(let conditions), .any(let conditions): conditions.flatMap(\.selectors)
    }
  }

  func holds(_ json: LazyJSON) -> Bool {
    switch self {
    case .all(let conditions): return conditions.allSatisfy { $0.holds(json) }
    case .any(let conditions): return conditions.contains { $0.holds(json) }
    case .test(let selector, let test):
      let values = selector.values(json)
      if case .notExists = test { return values.isEmpty }
      return values.contains { JSONCondition.holds(test, json.value($0), json, at: $0) }
    }
  }

  private static func holds(_ test: Test, _ value: LazyJSON.Value, _ json: LazyJSON, at place: Int) -> Bool {
    switch test {
    case .exists: return true
    case .notExists: return false
    case .isNull: return value == .null
    case .isTrue: return value == .bool(true)
    case .isFalse: return value == .bool(false)
    case .compare(let comparison, let operand):
      let number: Double? = if case .number(let number) = value { number } else { nil }
      switch comparison {
      case .equal, .unequal:
        if value == .object || value == .array { return isAnything(operand) && comparison == .equal }
        return operand.equals(json.text(place), number: number) == (comparison == .equal)
      default:
        guard case .number(let wanted, _) = operand, let number else { return false }
        return comparison.holds(number, wanted)
      }
    }
  }

  /// `= *` asks whether the member is there.
  private static func isAnything(_ operand: PatternOperand) -> Bool {
    if case .text(let text) = operand { text == WildcardText("*") } else { false }
  }
}
