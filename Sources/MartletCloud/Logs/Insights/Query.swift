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

  /// What texts have in common.
  struct PatternCommand: Sendable {
    let expression: QueryExpression
    /// Of the pattern, its share of all events, their number, and how bad they are.
    let places: [Int]
    /// Where the difference to an earlier time goes, in number and in words.
    var difference: (count: Int, description: Int)?
  }

  /// The time that is compared with.
  enum Earlier: Sendable, Equatable {
    /// As long as the time that is asked for, and just before it.
    case before
    case days(Int)

    /// The span of time that is compared with another.
    func window(_ window: Range<Int64>) -> Range<Int64> {
      let back: Int64
      switch self {
      case .before:
        let (length, isTooLong) = window.upperBound.subtractingReportingOverflow(window.lowerBound)
        back = isTooLong ? .max : length
      case .days(let days): back = Int64(days) * 86_400_000
      }
      func earlier(_ time: Int64) -> Int64 {
        let (result, isTooEarly) = time.subtractingReportingOverflow(back)
        return isTooEarly ? .min : result
      }
      return earlier(window.lowerBound)..<earlier(window.upperBound)
    }
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
    case pattern(PatternCommand)
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
  /// nil = nothing is compared.
  var earlier: Earlier?

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
    let isOfEvents = commands.allSatisfy {
      switch $0 {
      case .stats, .pattern: false
      default: true
      }
    }
    guard isOfEvents else { return self }
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
