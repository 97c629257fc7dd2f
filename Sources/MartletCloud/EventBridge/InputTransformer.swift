// Makes a target's input from an event: a template in which `<name>` stands for a value that a path finds.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
import MartletCore
import MartletWire

struct InputTransformer: Sendable, Equatable {
  /// What a template can ask for without a path.
  struct Circumstances: Sendable {
    let ruleARN: String
    let ruleName: String
    let ingested: Timestamp
  }

  enum Variable: Sendable, Equatable {
    case path(EventPath)
    case ruleARN, ruleName, ingestionTime
    /// The event without its detail.
    case event
    case eventJSON

    private static let predefined: [String: Variable] = [
      "aws.events.rule-arn": .ruleARN, "aws.events.rule-name": .ruleName,
      "aws.events.event.ingestion-time": .ingestionTime, "aws.events.event": .event,
      "aws.events.event.json": .eventJSON,
    ]

    static func predefined(_ name: String) -> Variable? { predefined[name] }
  }

  private enum Piece: Sendable, Equatable {
    case text(String)
    /// - Parameter isQuoted: within a string of the template.
    case variable(Variable, isQuoted: Bool)
  }

  struct Flaw: Error {
    /// What follows the target's name in AWS's message.
    let message: String
  }

  private let pieces: [Piece]

  /// - Parameter paths: by the names of variables.
  init(template: String, paths: [(key: String, value: String)]) throws(Flaw) {
    var variables: [String: Variable] = [:]
    for (name, text) in paths {
      guard let path = EventPath(text) else { throw Flaw(message: "Invalid InputPath for target") }
      variables[name] = .path(path)
    }
    var pieces: [Piece] = []
    var text = ""
    var isQuoted = false
    // Character by character in JSON's sense: a mark that combines with a quotation mark does not hide it.
    var rest = template.unicodeScalars[...]
    while let character = rest.first {
      if character == "<", let name = InputTransformer.name(rest.dropFirst()) {
        guard let variable = variables[name] ?? Variable.predefined(name) else {
          throw Flaw(message: "InputTemplate for target contains invalid placeholder \(name).")
        }
        if !text.isEmpty { pieces.append(.text(text)) }
        text = ""
        pieces.append(.variable(variable, isQuoted: isQuoted))
        rest = rest.dropFirst(name.unicodeScalars.count + 2)
        continue
      }
      text.unicodeScalars.append(character)
      rest = rest.dropFirst()
      if character == "\\", isQuoted, let escaped = rest.first {
        text.unicodeScalars.append(escaped)
        rest = rest.dropFirst()
      } else if character == "\"" {
        isQuoted.toggle()
      }
    }
    if !text.isEmpty { pieces.append(.text(text)) }
    self.pieces = pieces
    guard isTemplate else { throw Flaw(message: "Invalid InputTemplate for target") }
  }

  /// The name in `name>…`; nil if it is none.
  private static func name(_ text: Substring.UnicodeScalarView) -> String? {
    let name = text.prefix { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
      default: false
      }
    }
    guard !name.isEmpty, text.dropFirst(name.count).first == ">" else { return nil }
    return String(name)
  }

  /// True if the template is JSON once its variables are, or several of those on lines of their own.
  private var isTemplate: Bool {
    let trial = pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .variable(_, let isQuoted): isQuoted ? "" : "null"
      }
    }.joined()
    if (try? JSONValue(parsing: trial)) != nil { return true }
    let lines = trial.split(separator: "\n")
    return lines.count > 1 && lines.allSatisfy { (try? JSONValue(parsing: String($0))) != nil }
  }

  func input(_ event: BusEvent, _ circumstances: Circumstances) -> String {
    pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .variable(let variable, let isQuoted): InputTransformer.show(variable, isQuoted, event, circumstances)
      }
    }.joined()
  }

  private static func show(
    _ variable: Variable, _ isQuoted: Bool, _ event: BusEvent, _ circumstances: Circumstances
  ) -> String {
    let value: JSONValue
    switch variable {
    case .path(let path): value = path.find(in: event.json) ?? .string("")
    case .ruleARN: value = .string(circumstances.ruleARN)
    case .ruleName: value = .string(circumstances.ruleName)
    case .ingestionTime: value = .string(circumstances.ingested.iso8601)
    // These stand for themselves even where other values would lose their quotation marks.
    case .event:
      return JSONValue.object((event.json.members ?? []).filter { $0.name != "detail" }).text
    case .eventJSON: return event.text
    }
    guard isQuoted else { return value.text }
    // Within a string: texts as they are, everything else without its quotation marks.
    let text = value.string ?? value.text.replacing("\"", with: "")
    return String(JSONValue.string(text).text.unicodeScalars.dropFirst().dropLast())
  }
}
