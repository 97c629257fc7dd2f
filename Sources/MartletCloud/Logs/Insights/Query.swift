// A query of Logs Insights, parsed: commands over rows whose places bear the names of fields.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
import MartletCore

struct Query: Sendable {
  struct Sort: Sendable {
    let expression: QueryExpression
    let isDescending: Bool
  }

  struct Stats: Sendable {
    let aggregates: [QueryAggregate]
    /// What is shown of each group: places of the row that it becomes.
    let results: [(place: Int, expression: QueryExpression)]
    let groups: [(place: Int, expression: QueryExpression)]
  }

  enum Parse: Sendable {
    /// What stands between the parts of a text is taken.
    case glob([Needle])
    case regex(LogRegex)
  }

  enum Command: Sendable {
    /// Computes values into places, and shows these.
    case fields([(place: Int, expression: QueryExpression)])
    /// The same, and shows nothing else.
    case display([(place: Int, expression: QueryExpression)])
    case filter(QueryExpression)
    case stats(Stats)
    case sort([Sort])
    case limit(Int)
    /// - of: what is parsed; into: the places of what is found, nil for a group without a name.
    case parse(of: QueryExpression, Parse, into: [Int?])
    case dedup([Int])
  }

  let commands: [Command]
  /// The names of the places of a row.
  let names: [String]
  /// Places that come out of events, and are not computed.
  let sources: [Int]
  /// Where `@timestamp` is.
  let time: Int
  let message: Int
  /// Where `@ptr` is; nil if results have none.
  let pointer: Int?

  static let mostResults = 10_000

  /// - Throws: a flaw with its place.
  init(_ text: String) throws(QueryFlaw) {
    var parser = try QueryParser(text)
    self = try parser.query()
  }

  init(commands: [Command], names: [String], sources: [Int], time: Int, message: Int, pointer: Int? = nil) {
    self.commands = commands
    self.names = names
    self.sources = sources
    self.time = time
    self.message = message
    self.pointer = pointer
  }

  /// The same with a pointer to its event at the end of each result, if results are events.
  var withPointer: Query {
    guard !commands.contains(where: { if case .stats = $0 { true } else { false } }) else { return self }
    var (names, sources) = (names, sources)
    let known = sources.first { names[$0] == "@ptr" }
    let place = known ?? names.count
    if known == nil {
      names.append("@ptr")
      sources.append(place)
    }
    return Query(
      commands: commands, names: names, sources: sources, time: time, message: message, pointer: place)
  }

  /// Bytes that every event has in it that passes the first filters.
  var needle: Needle? {
    var longest: [UInt8] = []
    func look(_ expression: QueryExpression) {
      switch expression {
      case .and(let a, let b):
        look(a)
        look(b)
      case .like(.field(message), .constant(.text(let text))) where text.utf8.count > longest.count:
        longest = Array(text.utf8)
      default: break
      }
    }
    for command in commands {
      guard case .filter(let expression) = command else {
        if case .fields = command { continue }
        break
      }
      look(expression)
    }
    return longest.isEmpty ? nil : Needle(longest)
  }
}
