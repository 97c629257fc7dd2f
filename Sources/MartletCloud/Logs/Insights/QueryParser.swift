// Reads queries of Logs Insights. Names become places of rows; what is not supported is refused by its name and place.
import MartletCore

struct QueryParser {
  private let tokens: [QueryToken]
  private var position = 0
  private var places: [String: Int] = [:]
  private var names: [String] = []
  private var computed: Set<Int> = []
  private var sources: [Int] = []
  private var depth = 0
  /// The aggregations of the command that is being read; nil where there are none.
  private var aggregates: [QueryAggregate]?
  private let lines: [Int]

  private static let deepest = 60

  init(_ text: String) throws(QueryFlaw) {
    lines = text.enumerated().filter { $0.element.isNewline }.map(\.offset)
    do throws(QueryFlaw) {
      tokens = try QueryLexer.tokens(text)
    } catch {
      throw QueryParser.placed(error, lines)
    }
  }

  /// With line and position, as AWS words it.
  private static func placed(_ flaw: QueryFlaw, _ lines: [Int]) -> QueryFlaw {
    let line = lines.filter { $0 < flaw.start }
    let column = flaw.start - (line.last.map { $0 + 1 } ?? 0)
    return QueryFlaw(
      message: "\(flaw.message) at line \(line.count + 1) and position \(column + 1)", start: flaw.start, end: flaw.end)
  }

  mutating func query() throws(QueryFlaw) -> Query {
    do throws(QueryFlaw) {
      let time = place("@timestamp")
      let message = place("@message")
      var commands: [Query.Command] = []
      var earlier: Query.Earlier?
      while next == .sign("|") { position += 1 }
      while next != .end {
        let token = tokens[position]
        if take(word: "diff") {
          guard earlier == nil, let compared = compare(commands) else {
            throw flaw(
              "the command diff must follow pattern, and nothing may stand before that but filters and fields", token)
          }
          commands = compared
          earlier = try self.earlier()
        } else {
          commands.append(try command())
        }
        guard next != .end else { break }
        guard take("|") else { throw unexpected() }
        guard next != .end else { throw unexpected() }
      }
      guard !commands.isEmpty else { throw flaw("the query is empty", tokens[position]) }
      var query = Query(commands: commands, names: names, sources: sources, time: time, message: message)
      query.earlier = earlier
      return query
    } catch {
      throw QueryParser.placed(error, lines)
    }
  }

  // MARK: - Words

  private var next: QueryToken.Kind { tokens[position].kind }

  private func flaw(_ message: String, _ token: QueryToken) -> QueryFlaw {
    QueryFlaw(message: message, start: token.start, end: max(token.end, token.start + 1))
  }

  private func unexpected() -> QueryFlaw {
    let shown: String
    switch next {
    case .end: return flaw("unexpected end of the query", tokens[position])
    case .word(let text), .quotedName(let text), .text(let text), .regex(let text, _), .sign(let text): shown = text
    case .number(let number, let unit): shown = QueryValue.shown(number) + unit
    }
    return flaw("unexpected symbol found: \(shown)", tokens[position])
  }

  private mutating func take(_ sign: String) -> Bool {
    guard next == .sign(sign) else { return false }
    position += 1
    return true
  }

  private mutating func take(word: String) -> Bool {
    guard case .word(let text) = next, text.lowercased() == word else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ sign: String) throws(QueryFlaw) {
    guard take(sign) else { throw unexpected() }
  }

  /// The place of a field, which comes out of events if nothing computes it.
  private mutating func place(_ name: String) -> Int {
    if let place = places[name] { return place }
    names.append(name)
    places[name] = names.count - 1
    sources.append(names.count - 1)
    return names.count - 1
  }

  /// A place for what is computed: a new one, so that what was there before keeps its meaning.
  private mutating func newPlace(_ name: String) -> Int {
    names.append(name)
    places[name] = names.count - 1
    return names.count - 1
  }

  private mutating func name() throws(QueryFlaw) -> String {
    switch next {
    case .word(let name), .quotedName(let name):
      position += 1
      return name
    default: throw unexpected()
    }
  }

  // MARK: - Commands

  private mutating func command() throws(QueryFlaw) -> Query.Command {
    let token = tokens[position]
    guard case .word(let word) = next else { throw unexpected() }
    position += 1
    switch word.lowercased() {
    case "fields": return .fields(try outputs())
    case "display": return .display(try outputs())
    // Without an index the fields are filtered all the same.
    case "filter", "filterindex": return .filter(try expression())
    case "stats": return .stats(try stats())
    case "sort", "order": return .sort(try sorts())
    case "limit", "head": return .limit(try limit())
    case "parse": return try parse()
    case "dedup":
      var list = [place(try name())]
      while take(",") { list.append(place(try name())) }
      return .dedup(list)
    case "pattern": return .pattern(try pattern())
    case "anomaly", "unnest", "source", "lookup", "unmask", "join", "addtotals",
      "appendcols", "transaction", "tail", "rename", "subquery":
      throw flaw("the command \(word) is not supported", token)
    default: throw flaw("unexpected symbol found: \(word)", token)
    }
  }

  /// `@timestamp, a + b as c`
  private mutating func outputs() throws(QueryFlaw) -> [(place: Int, expression: QueryExpression)] {
    var list: [(place: Int, expression: QueryExpression)] = []
    repeat {
      let start = position
      let expression = try expression()
      if case .field(let place) = expression, position == start + 1, !isAs {
        list.append((place, expression))
      } else {
        let name = try alias() ?? text(from: start)
        list.append((newPlace(name), expression))
      }
    } while take(",")
    return list
  }

  private var isAs: Bool { if case .word(let word) = next { word.lowercased() == "as" } else { false } }

  private mutating func alias() throws(QueryFlaw) -> String? { take(word: "as") ? try name() : nil }

  /// What was read since `start`, as a name of its own.
  private func text(from start: Int) -> String {
    var text = ""
    for (number, token) in tokens[start..<position].enumerated() {
      switch token.kind {
      case .word(let word):
        let isOperator = ["and", "or", "like", "in", "not"].contains(word.lowercased())
        text += isOperator && number > 0 ? " \(word) " : word
      case .quotedName(let name): text += name
      case .text(let value): text += "'\(value)'"
      case .regex(let value, _): text += "/\(value)/"
      case .number(let value, let unit): text += QueryValue.shown(value) + unit
      case .sign(let sign): text += sign == "," ? ", " : "(),[]".contains(sign) ? sign : sign
      case .end: break
      }
    }
    return text
  }

  private mutating func stats() throws(QueryFlaw) -> Query.Stats {
    aggregates = []
    defer { aggregates = nil }
    var results: [(name: String, expression: QueryExpression)] = []
    repeat {
      let (start, token) = (position, tokens[position])
      let expression = try expression()
      guard expression.hasAggregate else { throw flaw("stats needs an aggregation function", token) }
      results.append((try alias() ?? text(from: start), expression))
    } while take(",")
    let found = aggregates ?? []
    aggregates = nil
    var groups: [(name: String, expression: QueryExpression)] = []
    if take(word: "by") {
      repeat {
        let start = position
        let expression = try expression()
        groups.append((try alias() ?? text(from: start), expression))
      } while take(",")
    }
    // Behind it nothing else is known any more.
    places = [:]
    let shown = groups.map { (newPlace($0.name), $0.expression) }
    return Query.Stats(
      aggregates: found, results: results.map { (newPlace($0.name), $0.expression) }, groups: shown)
  }

  private mutating func pattern() throws(QueryFlaw) -> Query.PatternCommand {
    let expression = try expression()
    places = [:]
    return Query.PatternCommand(
      expression: expression,
      places: ["@pattern", "@ratio", "@sampleCount", "@severityLabel"].map { newPlace($0) })
  }

  /// The commands with a pattern at their end that is compared; nil if they cannot be.
  private mutating func compare(_ commands: [Query.Command]) -> [Query.Command]? {
    guard case .pattern(var pattern)? = commands.last else { return nil }
    for command in commands.dropLast() {
      switch command {
      case .fields, .display, .filter, .parse: continue
      default: return nil
      }
    }
    pattern.difference = (newPlace("@diffEventCount"), newPlace("@diffEventDescription"))
    return commands.dropLast() + [.pattern(pattern)]
  }

  /// What stands behind `diff`.
  private mutating func earlier() throws(QueryFlaw) -> Query.Earlier {
    guard case .word(let word) = next else { return .before }
    let days = ["previousday": 1, "previousweek": 7, "previousmonth": 30]
    guard let count = days[word.lowercased()] else { throw unexpected() }
    position += 1
    return .days(count)
  }

  private mutating func sorts() throws(QueryFlaw) -> [Query.Sort] {
    _ = take(word: "by")
    var list: [Query.Sort] = []
    repeat {
      let start = position
      // `sort count(*) desc` names what `stats` has made.
      let expression: QueryExpression
      if let place = computedName() { expression = .field(place) } else { expression = try self.expression() }
      guard position > start else { throw unexpected() }
      var isDescending = false
      if take(word: "desc") { isDescending = true } else { _ = take(word: "asc") }
      list.append(Query.Sort(expression: expression, isDescending: isDescending))
    } while take(",")
    return list
  }

  /// An expression that is written as the name of a result, such as `count(*)`.
  private mutating func computedName() -> Int? {
    let start = position
    var depth = 0
    while true {
      if case .sign("(") = next { depth += 1 }
      if case .sign(")") = next { depth -= 1 }
      if next == .end || next == .sign("|") { break }
      if depth == 0 {
        if next == .sign(",") { break }
        if case .word(let word) = next, ["asc", "desc"].contains(word.lowercased()) { break }
      }
      position += 1
    }
    if let place = places[text(from: start)] { return place }
    position = start
    return nil
  }

  private mutating func limit() throws(QueryFlaw) -> Int {
    guard case .number(let number, "") = next, number == number.rounded(), number >= 1,
      number <= Double(Query.mostResults)
    else { throw unexpected() }
    position += 1
    return Int(number)
  }

  private mutating func parse() throws(QueryFlaw) -> Query.Command {
    var field = QueryExpression.field(place("@message"))
    switch next {
    case .word, .quotedName: field = .field(place(try name()))
    default: break
    }
    let token = tokens[position]
    position += 1
    switch token.kind {
    case .text(let glob):
      let parts = glob.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
      let into = try names(orNone: false)
      guard into.count == parts.count - 1 else {
        throw flaw("the expression has \(parts.count - 1) wildcards and \(into.count) names", token)
      }
      return .parse(of: field, .glob(parts.map { Needle($0) }), into: into.map { newPlace($0) })
    case .regex(let text, let ignoresCase):
      let regex = try regex(text, ignoresCase, token)
      let given = try names(orNone: true)
      if given.isEmpty {
        guard regex.groups.contains(where: { $0 != nil }) else { throw flaw("the expression names no group", token) }
        return .parse(of: field, .regex(regex), into: regex.groups.map { $0.map { newPlace($0) } })
      }
      guard given.count == regex.groups.count else {
        throw flaw("the expression has \(regex.groups.count) groups and \(given.count) names", token)
      }
      return .parse(of: field, .regex(regex), into: given.map { newPlace($0) })
    default:
      position -= 1
      throw unexpected()
    }
  }

  private mutating func names(orNone: Bool) throws(QueryFlaw) -> [String] {
    guard take(word: "as") else {
      if orNone { return [] }
      throw unexpected()
    }
    var list = [try name()]
    while take(",") { list.append(try name()) }
    return list
  }

  private func regex(_ text: String, _ ignoresCase: Bool, _ token: QueryToken) throws(QueryFlaw) -> LogRegex {
    do throws(RegexFlaw) {
      return try LogRegex(text, ignoresCase: ignoresCase)
    } catch {
      throw flaw("the regular expression /\(text)/: \(error.message)", token)
    }
  }

  // MARK: - Expressions

  private mutating func nested<T>(
    _ body: (inout QueryParser) throws(QueryFlaw) -> T
  ) throws(QueryFlaw) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= QueryParser.deepest else { throw flaw("the query is nested too deeply", tokens[position]) }
    return try body(&self)
  }

  private mutating func expression() throws(QueryFlaw) -> QueryExpression {
    try nested { parser throws(QueryFlaw) in
      var left = try parser.conjunction()
      while parser.take(word: "or") || parser.take("||") { left = .or(left, try parser.conjunction()) }
      return left
    }
  }

  private mutating func conjunction() throws(QueryFlaw) -> QueryExpression {
    var left = try negation()
    while take(word: "and") || take("&&") { left = .and(left, try negation()) }
    return left
  }

  private mutating func negation() throws(QueryFlaw) -> QueryExpression {
    guard take(word: "not") else { return try comparison() }
    return try nested { parser throws(QueryFlaw) in .not(try parser.negation()) }
  }

  private mutating func comparison() throws(QueryFlaw) -> QueryExpression {
    let left = try sum()
    for sign in ["!=", "<=", ">=", "==", "=", "<", ">"] where take(sign) {
      guard let comparison = PatternComparison(rawValue: sign == "==" ? "=" : sign) else { throw unexpected() }
      return .compare(comparison, left, try sum())
    }
    if take("=~") || take(word: "like") { return try like(left) }
    if take(word: "in") { return .isIn(left, try list()) }
    if case .word(let word) = next, word.lowercased() == "not", position + 1 < tokens.count {
      if case .word(let other) = tokens[position + 1].kind {
        if other.lowercased() == "like" {
          position += 2
          return .not(try like(left))
        }
        if other.lowercased() == "in" {
          position += 2
          return .not(.isIn(left, try list()))
        }
      }
    }
    return left
  }

  private mutating func like(_ left: QueryExpression) throws(QueryFlaw) -> QueryExpression {
    if case .regex(let text, let ignoresCase) = next {
      position += 1
      return .matches(left, try regex(text, ignoresCase, tokens[position - 1]))
    }
    if case .text(let text) = next {
      position += 1
      return .like(left, .constant(.text(text)))
    }
    return .like(left, try sum())
  }

  private mutating func list() throws(QueryFlaw) -> [QueryExpression] {
    let closing = take("(") ? ")" : "]"
    if closing == "]" { try expect("[") }
    var list = [try expression()]
    while take(",") { list.append(try expression()) }
    try expect(closing)
    return list
  }

  private mutating func sum() throws(QueryFlaw) -> QueryExpression {
    var left = try product()
    while true {
      if take("+") {
        left = .arithmetic(.plus, left, try product())
      } else if take("-") {
        left = .arithmetic(.minus, left, try product())
      } else {
        return left
      }
    }
  }

  private mutating func product() throws(QueryFlaw) -> QueryExpression {
    var left = try power()
    while true {
      if take("*") {
        left = .arithmetic(.times, left, try power())
      } else if take("/") {
        left = .arithmetic(.over, left, try power())
      } else if take("%") {
        left = .arithmetic(.modulo, left, try power())
      } else {
        return left
      }
    }
  }

  private mutating func power() throws(QueryFlaw) -> QueryExpression {
    let base = try operand()
    guard take("^") else { return base }
    return .arithmetic(.power, base, try nested { parser throws(QueryFlaw) in try parser.power() })
  }

  private mutating func operand() throws(QueryFlaw) -> QueryExpression {
    switch next {
    case .number(let number, ""):
      position += 1
      return .constant(.number(number))
    case .text(let text):
      position += 1
      return .constant(.text(text))
    case .sign("-"):
      position += 1
      return .arithmetic(
        .minus, .constant(.number(0)), try nested { parser throws(QueryFlaw) in try parser.operand() })
    case .sign("("):
      position += 1
      let inner = try expression()
      try expect(")")
      return inner
    case .quotedName(let name):
      position += 1
      return .field(place(name))
    case .word(let word):
      if ["and", "or", "in", "like", "as", "by"].contains(word.lowercased()) { throw unexpected() }
      if tokens[position + 1].kind == .sign("(") { return try call(word) }
      position += 1
      if word.lowercased() == "true" { return .constant(.bool(true)) }
      if word.lowercased() == "false" { return .constant(.bool(false)) }
      if word.lowercased() == "null" { return .constant(.null) }
      return .field(place(word))
    default: throw unexpected()
    }
  }

  private mutating func call(_ word: String) throws(QueryFlaw) -> QueryExpression {
    let token = tokens[position]
    position += 2
    let name = word.lowercased()
    if let kind = QueryAggregateKind(rawValue: name) ?? (name == "percentile" ? .pct : nil) {
      return try aggregate(kind, token)
    }
    guard let function = QueryFunction(rawValue: name) else {
      throw flaw("the function \(word) is not supported", token)
    }
    var arguments: [QueryExpression] = []
    if !take(")") {
      repeat { arguments.append(try argument(function)) } while take(",")
      try expect(")")
    }
    guard function.arity.contains(arguments.count) else {
      throw flaw("the function \(word) takes other arguments", token)
    }
    if function == .bin {
      arguments = arguments.count == 1 ? [.field(place("@timestamp")), arguments[0]] : arguments
    }
    return .call(function, arguments)
  }

  /// A length of time, such as `5m`, is its milliseconds.
  private mutating func argument(_ function: QueryFunction) throws(QueryFlaw) -> QueryExpression {
    guard [.bin, .datefloor, .dateceil].contains(function), case .number(let count, let unit) = next else {
      return try expression()
    }
    let units: [String: Double] = [
      "ms": 1, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "hr": 3_600_000, "d": 86_400_000,
      "w": 604_800_000, "": 1000,
    ]
    // `minutes` and `hrs` are understood as well.
    let name = unit.lowercased()
    let words = ["second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w"]
    let single = name.hasSuffix("s") && name.utf8.count > 2 ? String(name.dropLast()) : name
    guard let length = units[name] ?? units[words[single] ?? single], count > 0 else { throw unexpected() }
    position += 1
    return .constant(.number(count * length))
  }

  private mutating func aggregate(
    _ kind: QueryAggregateKind, _ token: QueryToken
  ) throws(QueryFlaw) -> QueryExpression {
    guard let outer = aggregates else {
      throw flaw("the function \(kind.rawValue) can be used in stats only", token)
    }
    // An aggregation of an aggregation means nothing.
    aggregates = nil
    var argument: QueryExpression?
    var percentile = 0.0
    if !take(")") {
      if take("*") {
      } else {
        argument = try expression()
      }
      if kind == .pct {
        guard take(","), case .number(let number, "") = next, (0...100).contains(number) else { throw unexpected() }
        position += 1
        percentile = number
      }
      try expect(")")
    }
    guard argument != nil || kind == .count else {
      throw flaw("the function \(kind.rawValue) takes other arguments", token)
    }
    aggregates = outer + [QueryAggregate(kind: kind, argument: argument, percentile: percentile)]
    return .aggregate(outer.count)
  }
}
