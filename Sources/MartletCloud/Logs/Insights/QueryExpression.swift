// Expressions of a query, after their names have become places in a row.
import MartletCore
import MartletWire

indirect enum QueryExpression: Sendable {
  enum Arithmetic: String, Sendable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
    case modulo = "%"
    case power = "^"
  }

  case constant(QueryValue)
  /// A place in the row.
  case field(Int)
  case arithmetic(Arithmetic, QueryExpression, QueryExpression)
  case compare(PatternComparison, QueryExpression, QueryExpression)
  case like(QueryExpression, QueryExpression)
  case matches(QueryExpression, LogRegex)
  case isIn(QueryExpression, [QueryExpression])
  case and(QueryExpression, QueryExpression)
  case or(QueryExpression, QueryExpression)
  case not(QueryExpression)
  case call(QueryFunction, [QueryExpression])
  /// A place among the results of aggregation.
  case aggregate(Int)

  func value(_ row: [QueryValue], _ now: Int64, aggregates: [QueryValue] = []) -> QueryValue {
    func of(_ expression: QueryExpression) -> QueryValue { expression.value(row, now, aggregates: aggregates) }
    switch self {
    case .constant(let value): return value
    case .field(let place): return row[place]
    case .aggregate(let place): return aggregates[place]
    case .arithmetic(let sign, let a, let b):
      guard let x = of(a).number, let y = of(b).number else { return .null }
      return QueryExpression.result(sign, x, y)
    case .compare(let comparison, let a, let b):
      return .bool(QueryExpression.holds(comparison, of(a), of(b)))
    case .like(let a, let b):
      let value = of(a)
      if value == .null { return .bool(false) }
      return .bool(Logs.contains(value.text, of(b).text))
    case .matches(let a, let regex):
      let value = of(a)
      return .bool(value != .null && regex.matches(value.text))
    case .isIn(let a, let list):
      let value = of(a)
      return .bool(value != .null && list.contains { QueryValue.areEqual(value, of($0)) })
    case .and(let a, let b): return .bool(of(a).isTrue && of(b).isTrue)
    case .or(let a, let b): return .bool(of(a).isTrue || of(b).isTrue)
    case .not(let a): return .bool(!of(a).isTrue)
    case .call(let function, let arguments): return function.value(arguments.map(of), now)
    }
  }

  private static func result(_ sign: Arithmetic, _ x: Double, _ y: Double) -> QueryValue {
    let value: Double
    switch sign {
    case .plus: value = x + y
    case .minus: value = x - y
    case .times: value = x * y
    case .over: value = x / y
    case .modulo: value = x.truncatingRemainder(dividingBy: y)
    case .power: value = QueryFunction.power(x, y)
    }
    return value.isFinite ? .number(value) : .null
  }

  private static func holds(_ comparison: PatternComparison, _ a: QueryValue, _ b: QueryValue) -> Bool {
    switch comparison {
    case .equal: return QueryValue.areEqual(a, b)
    case .unequal: return a != .null && !QueryValue.areEqual(a, b)
    case .less: return QueryValue.isLess(a, b) == true
    case .greaterOrEqual: return QueryValue.isLess(a, b) == false
    case .greater: return QueryValue.isLess(b, a) == true
    case .lessOrEqual: return QueryValue.isLess(b, a) == false
    }
  }

  /// True if it holds the result of an aggregation.
  var hasAggregate: Bool {
    switch self {
    case .constant, .field: false
    case .aggregate: true
    case .arithmetic(_, let a, let b), .compare(_, let a, let b), .like(let a, let b), .and(let a, let b),
      .or(let a, let b):
      a.hasAggregate || b.hasAggregate
    case .matches(let a, _), .not(let a): a.hasAggregate
    case .isIn(let a, let list): a.hasAggregate || list.contains(where: \.hasAggregate)
    case .call(_, let arguments): arguments.contains(where: \.hasAggregate)
    }
  }
}
