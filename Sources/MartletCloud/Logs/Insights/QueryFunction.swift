// The functions of queries.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
import Glibc
import MartletCore
import MartletWire

enum QueryFunction: String, Sendable, CaseIterable {
  case abs, ceil, floor, greatest, least, log, sqrt
  case bin, datefloor, dateceil, frommillis, tomillis, now
  case ispresent, coalesce
  case isempty, isblank, concat, ltrim, rtrim, trim, strlen, toupper, tolower, substr, replace, strcontains
  case isvalidip, isvalidipv4, isvalidipv6
  case unmask

  /// How many arguments it takes.
  var arity: ClosedRange<Int> {
    switch self {
    case .now: 0...0
    case .abs, .ceil, .floor, .log, .sqrt, .frommillis, .tomillis, .ispresent, .isempty, .isblank, .strlen, .toupper,
      .tolower, .isvalidip, .isvalidipv4, .isvalidipv6, .unmask:
      1...1
    case .bin, .trim, .ltrim, .rtrim: 1...2
    case .datefloor, .dateceil, .strcontains: 2...2
    case .substr: 2...3
    case .replace: 3...3
    case .greatest, .least, .coalesce, .concat: 1...100
    }
  }

  static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }

  func value(_ arguments: [QueryValue], _ now: Int64) -> QueryValue {
    switch self {
    case .now: return .number(Double(now / 1000))
    case .ispresent: return .bool(arguments[0] != .null)
    case .coalesce: return arguments.first { $0 != .null } ?? .null
    case .unmask: return arguments[0]
    case .abs, .ceil, .floor, .log, .sqrt: return numeric(arguments[0])
    case .greatest: return arguments.compactMap(\.number).max().map { .number($0) } ?? .null
    case .least: return arguments.compactMap(\.number).min().map { .number($0) } ?? .null
    case .bin, .datefloor, .dateceil, .frommillis, .tomillis: return date(arguments)
    default: return textual(arguments)
    }
  }

  private func numeric(_ argument: QueryValue) -> QueryValue {
    guard let x = argument.number else { return .null }
    let result: Double
    switch self {
    case .abs: result = x.magnitude
    case .ceil: result = x.rounded(.up)
    case .floor: result = x.rounded(.down)
    case .log: result = Glibc.log(x)
    default: result = x.squareRoot()
    }
    return result.isFinite ? .number(result) : .null
  }

  /// The first argument is a time, the second a length of time in milliseconds.
  private func date(_ arguments: [QueryValue]) -> QueryValue {
    guard let time = arguments[0].number, time.magnitude < 9e12 else { return .null }
    if self == .frommillis { return .time(Int64(time)) }
    if self == .tomillis { return .number(time) }
    guard let step = arguments[1].number, step >= 1 else { return .null }
    let moment = (time / step).rounded(self == .dateceil ? .up : .down) * step
    return moment.magnitude < 9e12 ? .time(Int64(moment)) : .null
  }

  private func textual(_ arguments: [QueryValue]) -> QueryValue {
    let text = arguments[0].text
    func characters(_ place: Int) -> Set<Character> {
      arguments.count > place ? Set(arguments[place].text) : [" ", "\t", "\n", "\r"]
    }
    switch self {
    case .isempty: return .bool(arguments[0] == .null || text.isEmpty)
    case .isblank: return .bool(arguments[0] == .null || text.allSatisfy(\.isWhitespace))
    case .concat: return .text(arguments.map(\.text).joined())
    case .strlen: return .number(Double(text.count))
    case .toupper: return .text(text.uppercased())
    case .tolower: return .text(text.lowercased())
    case .trim, .ltrim, .rtrim:
      let set = characters(1)
      var rest = text[...]
      if self != .rtrim { rest = rest.drop { set.contains($0) } }
      if self != .ltrim { while let last = rest.last, set.contains(last) { rest.removeLast() } }
      return .text(String(rest))
    case .substr:
      func count(_ value: QueryValue) -> Int { Int(Swift.max(0, Swift.min(value.number ?? 0, 1e9))) }
      let start = count(arguments[1])
      let length = arguments.count > 2 ? count(arguments[2]) : Int.max
      return .text(String(text.dropFirst(start).prefix(length)))
    case .replace:
      let (old, new) = (arguments[1].text, arguments[2].text)
      guard !old.isEmpty else { return arguments[0] }
      return .text(text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new))
    case .strcontains: return .bool(Logs.contains(text, arguments[1].text))
    case .isvalidipv4: return .bool(QueryFunction.isAddress(text, AF_INET))
    case .isvalidipv6: return .bool(QueryFunction.isAddress(text, AF_INET6))
    case .isvalidip: return .bool(QueryFunction.isAddress(text, AF_INET) || QueryFunction.isAddress(text, AF_INET6))
    default: return .null
    }
  }

  private static func isAddress(_ text: String, _ family: CInt) -> Bool {
    var room = in6_addr()
    return inet_pton(family, text, &room) == 1
  }
}
