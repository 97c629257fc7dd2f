// Runs a query over events as they come, in any order, and keeps no more of them than the result needs.
import MartletCore

struct QueryRun {
  private let query: Query
  private let sources: QuerySources
  private let now: Int64
  /// Commands that look at one row at a time, from the first on.
  private let streamed: ArraySlice<Query.Command>
  private var groups: [[QueryValue]: [QueryTally]] = [:]
  private var order: [[QueryValue]] = []
  private let stats: Query.Stats?
  private let pattern: Query.PatternCommand?
  private var patterns = LogPatterns()
  /// Rows that are kept, cut now and then to what can still be shown.
  private var rows: [[QueryValue]] = []
  private let sort: [Query.Sort]
  private let keep: Int?
  private let limit: Int
  private(set) var matched = 0
  private(set) var scanned = 0
  private(set) var bytes = 0

  /// Rows that may be held for commands that have to see all of them, and groups of `stats`.
  static let mostRows = 1_000_000

  /// - Parameter limit: results if the query does not say it.
  init(_ query: Query, limit: Int, now: Int64) {
    self.query = query
    self.limit = limit
    self.now = now
    sources = QuerySources(query)
    let end =
      query.commands.firstIndex {
        switch $0 {
        case .fields, .display, .filter, .parse: false
        case .stats, .sort, .limit, .dedup, .pattern: true
        }
      } ?? query.commands.count
    streamed = query.commands[..<end]
    var rest = query.commands[end...]
    if case .stats(let stats)? = rest.first { self.stats = stats } else { stats = nil }
    if case .pattern(let pattern)? = rest.first { self.pattern = pattern } else { pattern = nil }
    let byTime = [Query.Sort(expression: .field(query.time), isDescending: true)]
    if case .sort(let sort)? = rest.first {
      self.sort = sort
      rest = rest.dropFirst()
    } else {
      sort = byTime
    }
    // What is sorted and then cut needs no more than the cut.
    if stats == nil, pattern == nil, rest.allSatisfy({ if case .limit = $0 { true } else { false } }) {
      let limits = rest.compactMap { if case .limit(let count) = $0 { count } else { Int?.none } }
      keep = limits.min() ?? limit
    } else {
      keep = nil
    }
  }

  /// False if there is no room for more.
  /// - Parameter isEarlier: it is of the time that is compared with.
  mutating func add(_ event: QueryEvent, isEarlier: Bool = false) -> Bool {
    scanned += 1
    bytes += event.text.count
    var row = sources.row(event)
    for command in streamed {
      guard apply(command, to: &row) else { return true }
    }
    matched += 1
    if let stats { return tally(stats, row) }
    if let pattern {
      patterns.add(pattern.expression.value(row, now).text, isEarlier: isEarlier)
      return true
    }
    rows.append(row)
    if let keep, rows.count >= 2 * keep + 4096 { cut(to: keep) }
    return rows.count < QueryRun.mostRows
  }

  /// Blocks that cannot hold anything that matters were passed over.
  mutating func skip(_ events: Int) { scanned += events }

  /// False if the row is out.
  private func apply(_ command: Query.Command, to row: inout [QueryValue]) -> Bool {
    switch command {
    case .filter(let expression): return expression.value(row, now).isTrue
    case .fields(let list), .display(let list):
      for (place, expression) in list {
        if case .field(place) = expression { continue }
        row[place] = expression.value(row, now)
      }
    case .parse(let field, let parse, let into): QueryRun.parse(field.value(row, now), parse, into, &row)
    case .stats, .sort, .limit, .dedup, .pattern: break
    }
    return true
  }

  private mutating func tally(_ stats: Query.Stats, _ row: [QueryValue]) -> Bool {
    let key = stats.groups.map { $0.expression.value(row, now) }
    var time: Int64 = 0
    if case .time(let moment) = row[query.time] { time = moment }
    let index = groups.index(forKey: key)
    if index == nil {
      guard groups.count < QueryRun.mostRows else { return false }
      groups[key] = [QueryTally](repeating: QueryTally(), count: stats.aggregates.count)
      order.append(key)
    }
    guard let index = index ?? groups.index(forKey: key) else { return false }
    for (place, aggregate) in stats.aggregates.enumerated() {
      let value = aggregate.argument?.value(row, now) ?? .null
      groups.values[index][place].add(value, aggregate.kind, isAll: aggregate.argument == nil, at: time)
    }
    return true
  }

  private static func parse(
    _ value: QueryValue, _ parse: Query.Parse, _ into: [Int?], _ row: inout [QueryValue]
  ) {
    for case let place? in into { row[place] = .null }
    guard value != .null else { return }
    var text = value.text
    text.withUTF8 { buffer in
      let bytes = UnsafeRawBufferPointer(buffer)
      switch parse {
      case .regex(let regex):
        guard let found = regex.find(bytes) else { return }
        for (place, range) in zip(into, found.dropFirst()) {
          guard let place, let range else { continue }
          row[place] = .text(String(decoding: bytes[range], as: UTF8.self))
        }
      case .glob(let parts):
        guard let ranges = QueryRun.match(parts, bytes) else { return }
        for (place, range) in zip(into, ranges) {
          guard let place else { continue }
          row[place] = .text(String(decoding: bytes[range], as: UTF8.self))
        }
      }
    }
  }

  /// What stands between the parts; nil if they are not there in this order.
  static func match(_ parts: [Needle], _ text: UnsafeRawBufferPointer) -> [Range<Int>]? {
    guard let first = parts.first, var at = first.find(in: text) else { return nil }
    at += first.bytes.count
    var ranges: [Range<Int>] = []
    for (number, part) in parts.enumerated().dropFirst() {
      // The last one, if nothing stands behind it, is the rest.
      let isRest = part.bytes.isEmpty && number == parts.count - 1
      guard let end = isRest ? text.count : part.find(in: text, from: at) else { return nil }
      ranges.append(at..<end)
      at = end + part.bytes.count
    }
    return ranges
  }

  // MARK: - The end

  private mutating func cut(to count: Int) {
    rows = QueryRun.sorted(rows, sort, now)
    if rows.count > count { rows.removeLast(rows.count - count) }
  }

  private static func sorted(_ rows: [[QueryValue]], _ sort: [Query.Sort], _ now: Int64) -> [[QueryValue]] {
    // Each key is computed once.
    let keyed = rows.enumerated().map { number, row in (number, sort.map { $0.expression.value(row, now) }) }
    let order = keyed.sorted { a, b in
      for (place, one) in sort.enumerated() {
        let (x, y) = (a.1[place], b.1[place])
        if QueryValue.sortsBefore(x, y, isDescending: one.isDescending) { return true }
        if QueryValue.sortsBefore(y, x, isDescending: one.isDescending) { return false }
      }
      return a.0 < b.0
    }
    return order.map { rows[$0.0] }
  }

  /// The results: fields with their values, those that are null left out.
  mutating func finish() -> [[(field: String, value: String)]] {
    var rest = query.commands[streamed.endIndex...]
    if let stats {
      rows = order.map { key in
        let results = zip(stats.aggregates, groups[key] ?? []).map { $1.result($0) }
        return QueryRun.row(stats, key, results, query, now)
      }
      // Without rows there is no group, but what is not grouped is counted all the same.
      if rows.isEmpty, stats.groups.isEmpty {
        rows = [QueryRun.row(stats, [], stats.aggregates.map { QueryTally().result($0) }, query, now)]
      }
      rest = rest.dropFirst()
    } else if let pattern {
      rows = self.rows(pattern, patterns)
      rest = rest.dropFirst()
    } else {
      rows = QueryRun.sorted(rows, sort, now)
      if case .sort? = rest.first { rest = rest.dropFirst() }
    }
    var count = limit
    for command in rest { if case .limit(let least) = command { count = Swift.max(least, 1) } }
    for command in rest { step(command) }
    rows = Array(rows.prefix(count))
    var shown = shownPlaces
    if let pointer = query.pointer, !shown.contains(pointer) { shown.append(pointer) }
    return rows.map { row in
      shown.compactMap { place in row[place].shown.map { (query.names[place], $0) } }
    }
  }

  private static func row(
    _ stats: Query.Stats, _ key: [QueryValue], _ results: [QueryValue], _ query: Query, _ now: Int64
  ) -> [QueryValue] {
    var row = [QueryValue](repeating: .null, count: query.names.count)
    for (group, value) in zip(stats.groups, key) { row[group.place] = value }
    for result in stats.results { row[result.place] = result.expression.value(row, now, aggregates: results) }
    return row
  }

  private func rows(_ command: Query.PatternCommand, _ patterns: LogPatterns) -> [[QueryValue]] {
    patterns.sorted.map { pattern in
      var row = [QueryValue](repeating: .null, count: query.names.count)
      let share = patterns.count == 0 ? 0 : Double(pattern.count) / Double(patterns.count)
      let values: [QueryValue] = [
        .text(pattern.text), .number(share), .number(Double(pattern.count)), .text(pattern.severity),
      ]
      for (place, value) in zip(command.places, values) { row[place] = value }
      if let difference = command.difference {
        row[difference.count] = .number(Double(pattern.count - pattern.earlier))
        row[difference.description] = .text(pattern.difference)
      }
      return row
    }
  }

  private mutating func step(_ command: Query.Command) {
    switch command {
    case .fields, .display, .filter, .parse:
      rows = rows.compactMap { row in
        var row = row
        return apply(command, to: &row) ? row : nil
      }
    case .pattern(let command):
      var found = LogPatterns()
      for row in rows { found.add(command.expression.value(row, now).text, isEarlier: false) }
      rows = self.rows(command, found)
    case .sort(let sort): rows = QueryRun.sorted(rows, sort, now)
    case .limit(let count): rows = Array(rows.prefix(count))
    case .dedup(let places):
      var seen: Set<[QueryValue]> = []
      rows = rows.filter { row in
        let key = places.map { row[$0] }
        // Rows that lack one of the fields are all kept.
        return key.contains(.null) || seen.insert(key).inserted
      }
    case .stats(let stats):
      var run = self
      (run.groups, run.order) = ([:], [])
      for row in rows { _ = run.tally(stats, row) }
      rows = run.order.map { key in
        QueryRun.row(
          stats, key, zip(stats.aggregates, run.groups[key] ?? []).map { $1.result($0) }, query, now)
      }
    }
  }

  /// What is shown: the last `display`, else what `fields` and `stats` name, else time and text.
  private var shownPlaces: [Int] {
    var places: [Int] = []
    var isDisplayed = false
    for command in query.commands {
      switch command {
      case .display(let list):
        places = list.map(\.place)
        isDisplayed = true
      case .fields(let list):
        if isDisplayed { continue }
        for (place, _) in list where !places.contains(place) { places.append(place) }
      case .stats(let stats):
        places = stats.groups.map(\.place) + stats.results.map(\.place)
        isDisplayed = false
      case .pattern(let pattern):
        places = pattern.places + (pattern.difference.map { [$0.count, $0.description] } ?? [])
        isDisplayed = false
      default: break
      }
    }
    return places.isEmpty ? [query.time, query.message] : places
  }
}
