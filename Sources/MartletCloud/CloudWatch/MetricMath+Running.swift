// What expressions come to: numbers, a series of values, or several. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
import Glibc
import MartletCore

/// The values of one line of a chart, by when they begin in seconds since 1970.
struct MetricLine: Sendable, Equatable {
  var id: String
  var label: String
  /// Seconds.
  var period: Int
  var values: [Int64: Double]

  func map(_ body: (Double) -> Double) -> MetricLine {
    var copy = self
    copy.values = values.mapValues(body)
    return copy
  }

  var sorted: [(start: Int64, value: Double)] { values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}

enum MetricOutcome: Sendable, Equatable {
  case number(Double)
  case text(String)
  case line(MetricLine)
  case lines([MetricLine])

  var lines: [MetricLine]? {
    switch self {
    case .line(let line): [line]
    case .lines(let lines): lines
    default: nil
    }
  }

  var number: Double? { if case .number(let number) = self { number } else { nil } }
}

/// Why an expression has no value.
struct MetricMathError: Error, Equatable {
  let message: String
}

/// Runs expressions over the lines of other queries.
struct MetricMathRun {
  /// By the ids of queries.
  let known: [String: MetricOutcome]
  /// Lines that `METRICS()` means, in the order of the queries.
  let metrics: [MetricLine]
  let span: MetricSpan

  func run(_ expression: MetricMath) throws(MetricMathError) -> MetricOutcome {
    switch expression {
    case .number(let number): return .number(number)
    case .text(let text): return .text(text)
    case .id(let id):
      if let outcome = known[id] { return outcome }
      guard MetricMathRun.words.contains(id) else { throw .init(message: "The id '\(id)' is not known.") }
      return .text(id)
    case .list(let list):
      var lines: [MetricLine] = []
      for element in list { lines += try self.lines(try run(element)) }
      return .lines(lines)
    case .minus(let one): return try unary(try run(one)) { -$0 }
    case .binary(let name, let a, let b): return try binary(name, try run(a), try run(b))
    case .call(let name, let arguments):
      var values: [MetricOutcome] = []
      for argument in arguments { values.append(try run(argument)) }
      return try call(name, values)
    }
  }

  /// Arguments of functions that are written like ids.
  private static let words: Set<String> = ["REPEAT", "LINEAR", "ASC", "DESC", "SUM", "AVG", "MIN", "MAX", "STDDEV"]

  private func lines(_ outcome: MetricOutcome) throws(MetricMathError) -> [MetricLine] {
    guard let lines = outcome.lines else { throw .init(message: "A time series is wanted.") }
    return lines
  }

  private func unary(_ outcome: MetricOutcome, _ body: (Double) -> Double) throws(MetricMathError) -> MetricOutcome {
    switch outcome {
    case .number(let number): return .number(body(number))
    case .line(let line): return .line(line.map(body))
    case .lines(let lines): return .lines(lines.map { $0.map(body) })
    case .text: throw .init(message: "A text is no number.")
    }
  }

  private static func apply(_ name: String, _ a: Double, _ b: Double) -> Double {
    switch name {
    case "+": a + b
    case "-": a - b
    case "*": a * b
    case "/": a / b
    case "^": pow(a, b)
    case "==": a == b ? 1 : 0
    case "!=": a != b ? 1 : 0
    case "<": a < b ? 1 : 0
    case ">": a > b ? 1 : 0
    case "<=": a <= b ? 1 : 0
    case ">=": a >= b ? 1 : 0
    case "&&": a != 0 && b != 0 ? 1 : 0
    default: a != 0 || b != 0 ? 1 : 0
    }
  }

  /// Where one of two lines has no value, there is none.
  private func binary(_ name: String, _ a: MetricOutcome, _ b: MetricOutcome) throws(MetricMathError) -> MetricOutcome {
    func join(_ a: MetricLine, _ b: MetricLine) -> MetricLine {
      var line = a
      line.values = a.values.reduce(into: [:]) { values, pair in
        guard let other = b.values[pair.key] else { return }
        let value = MetricMathRun.apply(name, pair.value, other)
        // A quotient by nothing is no value.
        if value.isFinite { values[pair.key] = value }
      }
      return line
    }
    func finite(_ line: MetricLine, _ body: (Double) -> Double) -> MetricLine {
      var line = line.map(body)
      line.values = line.values.filter { $0.value.isFinite }
      return line
    }
    switch (a, b) {
    case (.number(let a), .number(let b)): return .number(MetricMathRun.apply(name, a, b))
    case (.number(let a), .line(let b)): return .line(finite(b) { MetricMathRun.apply(name, a, $0) })
    case (.line(let a), .number(let b)): return .line(finite(a) { MetricMathRun.apply(name, $0, b) })
    case (.line(let a), .line(let b)): return .line(join(a, b))
    case (.lines(let a), .number(let b)):
      return .lines(a.map { finite($0) { MetricMathRun.apply(name, $0, b) } })
    case (.number(let a), .lines(let b)):
      return .lines(b.map { finite($0) { MetricMathRun.apply(name, a, $0) } })
    case (.lines(let a), .line(let b)): return .lines(a.map { join($0, b) })
    case (.line(let a), .lines(let b)): return .lines(b.map { join(a, $0) })
    default: throw .init(message: "The operator \(name) cannot be used with these.")
    }
  }

  // MARK: - Functions

  private func call(_ name: String, _ arguments: [MetricOutcome]) throws(MetricMathError) -> MetricOutcome {
    if let body = MetricMathRun.simple[name] {
      guard arguments.count == 1 else { throw .init(message: "\(name) has one argument.") }
      return try unary(arguments[0], body)
    }
    if let fold = MetricMathRun.folds[name] { return try self.fold(name, fold, arguments) }
    if let part = MetricMathRun.calendar[name] {
      return try eachLine(name, arguments) { line, _ in self.dated(line, part) }
    }
    switch name {
    case "METRICS":
      guard case .text(let part)? = arguments.first else { return .lines(metrics) }
      return .lines(metrics.filter { $0.id.contains(part) })
    case "METRIC_COUNT": return .number(Double(try lines(arguments.first ?? .lines([])).count))
    case "PERIOD": return .number(Double(try lines(arguments.first ?? .lines([])).first?.period ?? span.period))
    case "DATAPOINT_COUNT":
      return .number(Double(try lines(arguments.first ?? .lines([])).reduce(0) { $0 + $1.values.count }))
    case "FIRST", "LAST":
      let lines = try lines(arguments.first ?? .lines([]))
      guard let line = name == "FIRST" ? lines.first : lines.last else { return .lines([]) }
      return .line(line)
    case "TIME_SERIES":
      guard let number = arguments.first?.number else { throw .init(message: "TIME_SERIES wants a number.") }
      return .line(constant(number))
    case "FILL": return try fill(arguments)
    case "IF": return try choose(arguments)
    case "RATE", "DIFF", "DIFF_TIME", "RUNNING_SUM":
      return try eachLine(name, arguments) { line, _ in self.stepped(line, name) }
    case "REMOVE_EMPTY": return .lines(try lines(arguments.first ?? .lines([])).filter { !$0.values.isEmpty })
    case "SLICE": return try slice(arguments)
    case "SORT": return try sort(arguments)
    default: throw .init(message: "The function \(name) is not known.")
    }
  }

  private static let simple: [String: @Sendable (Double) -> Double] = [
    "ABS": { abs($0) }, "CEIL": { $0.rounded(.up) }, "FLOOR": { $0.rounded(.down) }, "LOG": { log($0) },
    "LOG10": { log10($0) },
  ]

  private static let folds: [String: @Sendable ([Double]) -> Double] = [
    "SUM": { $0.reduce(0, +) }, "AVG": { $0.reduce(0, +) / Double($0.count) }, "MIN": { $0.min() ?? 0 },
    "MAX": { $0.max() ?? 0 },
    "STDDEV": { values in
      let mean = values.reduce(0, +) / Double(values.count)
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
    },
  ]

  /// Of seconds since 1970.
  private static let calendar: [String: @Sendable (Int64) -> Double] = [
    "MINUTE": { Double($0 / 60 % 60) }, "HOUR": { Double($0 / 3600 % 24) },
    // From 1, which is Monday.
    "DAY": { Double(($0 / 86400 + 3) % 7 + 1) }, "EPOCH": { Double($0) },
    "DATE": { Double(MetricMathRun.part(2, $0)) }, "MONTH": { Double(MetricMathRun.part(1, $0)) },
    "YEAR": { Double(MetricMathRun.part(0, $0)) },
  ]

  private static func part(_ index: Int, _ second: Int64) -> Int {
    let parts = Timestamp(milliseconds: second * 1000).iso8601Seconds.prefix(10).split(separator: "-")
    return index < parts.count ? Int(parts[index]) ?? 0 : 0
  }

  /// Of one series a number; of several a series.
  private func fold(
    _ name: String, _ fold: ([Double]) -> Double, _ arguments: [MetricOutcome]
  ) throws(MetricMathError) -> MetricOutcome {
    if arguments.count > 1, arguments.allSatisfy({ $0.number != nil }) {
      return .number(fold(arguments.compactMap(\.number)))
    }
    guard let first = arguments.first, arguments.count == 1 else { throw .init(message: "\(name) has one argument.") }
    if case .line(let line) = first {
      return line.values.isEmpty ? .line(constant(nil)) : .number(fold(Array(line.values.values)))
    }
    var columns: [Int64: [Double]] = [:]
    let lines = try lines(first)
    for line in lines { for (start, value) in line.values { columns[start, default: []].append(value) } }
    return .line(
      MetricLine(id: "", label: name, period: lines.first?.period ?? span.period, values: columns.mapValues(fold)))
  }

  private func eachLine(
    _ name: String, _ arguments: [MetricOutcome], _ body: (MetricLine, Int) -> MetricLine
  ) throws(MetricMathError) -> MetricOutcome {
    guard let first = arguments.first else { throw .init(message: "\(name) has one argument.") }
    if case .line(let line) = first { return .line(body(line, 0)) }
    return .lines(try lines(first).enumerated().map { body($1, $0) })
  }

  private func dated(_ line: MetricLine, _ part: (Int64) -> Double) -> MetricLine {
    var copy = line
    for start in line.values.keys { copy.values[start] = part(start) }
    return copy
  }

  private var starts: [Int64] {
    let period = Int64(max(1, span.period))
    return Array(stride(from: span.start, to: span.end, by: Int64.Stride(period)))
  }

  private func constant(_ number: Double?) -> MetricLine {
    var values: [Int64: Double] = [:]
    if let number { for start in starts { values[start] = number } }
    return MetricLine(id: "", label: "", period: span.period, values: values)
  }

  private func stepped(_ line: MetricLine, _ name: String) -> MetricLine {
    var copy = line
    copy.values = [:]
    var before: (start: Int64, value: Double)?
    var sum = 0.0
    for (start, value) in line.sorted {
      sum += value
      if name == "RUNNING_SUM" {
        copy.values[start] = sum
      } else if let before {
        let seconds = Double(start - before.start)
        copy.values[start] =
          name == "RATE" ? (value - before.value) / seconds : name == "DIFF" ? value - before.value : seconds
      }
      before = (start, value)
    }
    return copy
  }

  private func fill(_ arguments: [MetricOutcome]) throws(MetricMathError) -> MetricOutcome {
    guard arguments.count == 2 else { throw .init(message: "FILL has two arguments.") }
    let starts = starts
    func filled(_ line: MetricLine) -> MetricLine {
      var copy = line
      var last: Double?
      let points = line.sorted
      for (index, start) in starts.enumerated() {
        if let value = line.values[start] {
          last = value
          continue
        }
        switch arguments[1] {
        case .number(let number): copy.values[start] = number
        case .line(let other): copy.values[start] = other.values[start]
        case .text("REPEAT"): copy.values[start] = last
        default:
          guard let last, let next = points.first(where: { $0.start > start }),
            let from = points.last(where: { $0.start < start }), index > 0
          else { continue }
          copy.values[start] = last + (next.value - last) * Double(start - from.start) / Double(next.start - from.start)
        }
      }
      return copy
    }
    return try eachLine("FILL", arguments) { line, _ in filled(line) }
  }

  private func choose(_ arguments: [MetricOutcome]) throws(MetricMathError) -> MetricOutcome {
    guard arguments.count == 2 || arguments.count == 3 else { throw .init(message: "IF has two or three arguments.") }
    if let condition = arguments[0].number {
      if condition != 0 { return arguments[1] }
      return arguments.count == 3 ? arguments[2] : .line(constant(nil))
    }
    guard case .line(let condition) = arguments[0] else { throw .init(message: "IF wants a time series or a number.") }
    func value(_ outcome: MetricOutcome, _ start: Int64) -> Double? {
      switch outcome {
      case .number(let number): number
      case .line(let line): line.values[start]
      default: nil
      }
    }
    var line = condition
    line.values = [:]
    for (start, flag) in condition.values {
      line.values[start] =
        flag != 0 ? value(arguments[1], start) : arguments.count == 3 ? value(arguments[2], start) : nil
    }
    return .line(line)
  }

  private func slice(_ arguments: [MetricOutcome]) throws(MetricMathError) -> MetricOutcome {
    guard arguments.count > 1, let from = arguments[1].number else { throw .init(message: "SLICE wants numbers.") }
    let lines = try lines(arguments[0])
    let low = MetricMathRun.index(from, most: lines.count)
    let high =
      arguments.count > 2 ? max(low, MetricMathRun.index(arguments[2].number ?? 0, most: lines.count)) : lines.count
    if arguments.count == 2 { return low < lines.count ? .line(lines[low]) : .lines([]) }
    return .lines(Array(lines[low..<high]))
  }

  /// A number as a place in a list, whatever it is.
  private static func index(_ number: Double, most: Int) -> Int {
    number > 0 ? Int(min(number, Double(most))) : 0
  }

  private func sort(_ arguments: [MetricOutcome]) throws(MetricMathError) -> MetricOutcome {
    let lines = try lines(arguments.first ?? .lines([]))
    var (how, isAscending, most) = ("AVG", false, lines.count)
    for argument in arguments.dropFirst() {
      switch argument {
      case .text("ASC"): isAscending = true
      case .text("DESC"): isAscending = false
      case .text(let name): how = name
      case .number(let number): most = MetricMathRun.index(number, most: lines.count)
      default: throw .init(message: "SORT has a function, an order and a limit.")
      }
    }
    guard let fold = MetricMathRun.folds[how] else { throw .init(message: "\(how) cannot be sorted by.") }
    let keyed = lines.map { ($0, $0.values.isEmpty ? 0 : fold(Array($0.values.values))) }
    let sorted = keyed.sorted { isAscending ? $0.1 < $1.1 : $0.1 > $1.1 }
    return .lines(sorted.prefix(most).map(\.0))
  }
}
