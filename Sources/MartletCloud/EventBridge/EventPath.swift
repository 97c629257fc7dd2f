// The paths of InputPath and InputPathsMap: `$.detail.state`, `$.resources[0]`, `$.detail['a-b']`, `$.items[*].id`.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
import MartletWire

struct EventPath: Sendable, Equatable {
  private enum Step: Sendable, Equatable {
    case member(String)
    case element(Int)
    case all
  }

  private let steps: [Step]

  /// nil unless the text is a path.
  init?(_ text: String) {
    guard text.hasPrefix("$") else { return nil }
    var steps: [Step] = []
    var rest = text.dropFirst()
    while let first = rest.first {
      switch first {
      case ".":
        rest = rest.dropFirst()
        let name = rest.prefix { $0 != "." && $0 != "[" }
        guard !name.isEmpty else { return nil }
        steps.append(name == "*" ? .all : .member(String(name)))
        rest = rest.dropFirst(name.count)
      case "[":
        guard let (step, length) = EventPath.bracket(rest) else { return nil }
        steps.append(step)
        rest = rest.dropFirst(length)
      default: return nil
      }
    }
    self.steps = steps
  }

  /// `[0]`, `[*]`, `['name']` or `["name"]`, and how many characters it has.
  private static func bracket(_ text: Substring) -> (Step, Int)? {
    let inner = text.dropFirst()
    if let quote = inner.first, quote == "'" || quote == "\"" {
      let name = inner.dropFirst().prefix { $0 != quote }
      guard inner.dropFirst(name.count + 2).first == "]", !name.isEmpty else { return nil }
      return (.member(String(name)), name.count + 4)
    }
    let word = inner.prefix { $0 != "]" }
    guard word.count < inner.count else { return nil }
    if word == "*" { return (.all, 3) }
    guard let index = Int(word), index >= 0 else { return nil }
    return (.element(index), word.count + 2)
  }

  /// nil if nothing is there. With a `*` in the path: an array of all that is.
  func find(in event: JSONValue) -> JSONValue? {
    var found = [event]
    for step in steps {
      found = found.flatMap { value -> [JSONValue] in
        switch (step, value) {
        case (.member(let name), .object): value[name].map { [$0] } ?? []
        case (.element(let index), .array(let elements)): index < elements.count ? [elements[index]] : []
        case (.all, .array(let elements)): elements
        case (.all, .object(let members)): members.map(\.value)
        default: []
        }
      }
    }
    if steps.contains(.all) { return .array(found) }
    return found.first
  }
}
