// What queries come to: metrics are read, expressions are run over them, searches find more.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
import MartletCore
import MartletWire

extension CloudWatchService {
  /// Metrics that one search may find.
  private static let mostFound = 500

  /// What queries come to, for those whose data is wanted, in their order. Values are in the order of time.
  /// - Throws: if an expression cannot be read, or has no value.
  func results(of queries: [MetricQuery], _ span: MetricSpan, _ place: Place) async throws(AWSError) -> [MetricResult] {
    var known: [String: MetricOutcome] = [:]
    var metrics: [MetricLine] = []
    var period = Int.max
    for query in queries {
      guard let stat = query.stat else { continue }
      let line = MetricLine(
        id: query.id, label: query.label ?? stat.metric.name, period: stat.period,
        values: Dictionary(try await values(stat, span, place).map { ($0.start, $0.value) }, uniquingKeysWith: { $1 }))
      known[query.id] = .line(line)
      metrics.append(line)
      period = min(period, stat.period)
    }
    var span = span
    span.period = period == .max ? queries.compactMap(\.period).min() ?? span.period : period
    span = span.rounded(now: world.now().seconds)
    var waiting = queries.filter { $0.expression != nil }
    while !waiting.isEmpty {
      let names = Set(waiting.map(\.id))
      var later: [MetricQuery] = []
      for query in waiting {
        let expression = try CloudWatchService.parsed(query)
        if !expression.ids.intersection(names).isEmpty {
          later.append(query)
        } else {
          known[query.id] = try await run(query, expression, known, metrics, span, place)
        }
      }
      guard later.count < waiting.count else {
        throw .cloudWatchValidation("The expressions of \(later.map(\.id)) refer to each other.")
      }
      waiting = later
    }
    return queries.filter(\.isReturned).flatMap { query in
      known[query.id].map { CloudWatchService.results(query, $0, span) } ?? []
    }
  }

  static func parsed(_ query: MetricQuery) throws(AWSError) -> MetricMath {
    let text = query.expression ?? ""
    do throws(MetricMath.Flaw) {
      return try MetricMath(text)
    } catch {
      throw .cloudWatchValidation(
        "Error in expression '\(query.id)': \(error.message) at position \(error.offset) of '\(text)'")
    }
  }

  private func run(
    _ query: MetricQuery, _ expression: MetricMath, _ known: [String: MetricOutcome], _ metrics: [MetricLine],
    _ span: MetricSpan, _ place: Place
  ) async throws(AWSError) -> MetricOutcome {
    var known = known
    let expression = try await searched(expression, query, &known, span, place)
    do throws(MetricMathError) {
      let outcome = try MetricMathRun(known: known, metrics: metrics, span: span).run(expression)
      guard case .line(var line) = outcome else { return outcome }
      line.id = query.id
      line.label = query.label ?? query.id
      return .line(line)
    } catch {
      throw .cloudWatchValidation("Error in expression '\(query.id)': \(error.message)")
    }
  }

  /// The expression with each search replaced by an id of what it found.
  private func searched(
    _ expression: MetricMath, _ query: MetricQuery, _ known: inout [String: MetricOutcome], _ span: MetricSpan,
    _ place: Place
  ) async throws(AWSError) -> MetricMath {
    switch expression {
    case .number, .text, .id: return expression
    case .list(let list):
      var changed: [MetricMath] = []
      for one in list { changed.append(try await searched(one, query, &known, span, place)) }
      return .list(changed)
    case .minus(let one): return .minus(try await searched(one, query, &known, span, place))
    case .binary(let name, let a, let b):
      return .binary(
        name, try await searched(a, query, &known, span, place), try await searched(b, query, &known, span, place))
    case .call("SEARCH", let arguments):
      // No query has such a name.
      let id = "SEARCH \(known.count)"
      known[id] = .lines(try await search(arguments, query, span, place))
      return .id(id)
    case .call(let name, let arguments):
      var changed: [MetricMath] = []
      for one in arguments { changed.append(try await searched(one, query, &known, span, place)) }
      return .call(name, changed)
    }
  }

  private func search(
    _ arguments: [MetricMath], _ query: MetricQuery, _ span: MetricSpan, _ place: Place
  ) async throws(AWSError) -> [MetricLine] {
    guard arguments.count >= 2, case .text(let text) = arguments[0], case .text(let statistic) = arguments[1],
      MetricStatistic(statistic) != nil
    else { throw .cloudWatchValidation("SEARCH has a search, a statistic and a period.") }
    var period = query.period ?? 300
    if arguments.count > 2, case .number(let number) = arguments[2], (1...86_400).contains(number) {
      period = Int(number)
    }
    let search: MetricSearch
    do throws(MetricMathError) { search = try MetricSearch(text) } catch { throw .cloudWatchValidation(error.message) }
    let found = metrics.list(place, since: world.now().seconds - 14 * 86_400, where: search.wants)
    var lines: [MetricLine] = []
    for metric in found.prefix(CloudWatchService.mostFound) {
      let stat = MetricQuery.Stat(metric: metric.identity, period: period, statistic: statistic, unit: nil)
      let values = try await self.values(stat, span, place)
      let label = ([metric.dimensions.map(\.value).joined(separator: " "), metric.name]).filter { !$0.isEmpty }
      lines.append(
        MetricLine(
          id: query.id, label: query.label ?? label.joined(separator: " "), period: period,
          values: Dictionary(values.map { ($0.start, $0.value) }, uniquingKeysWith: { $1 })))
    }
    return lines
  }

  private static func results(_ query: MetricQuery, _ outcome: MetricOutcome, _ span: MetricSpan) -> [MetricResult] {
    switch outcome {
    case .line(let line): return [MetricResult(id: query.id, label: line.label, values: line.sorted)]
    case .lines(let lines):
      return lines.map { MetricResult(id: query.id, label: $0.label, values: $0.sorted) }
    case .number(let number):
      let period = Int64(max(1, span.period))
      let starts = stride(from: span.start, to: span.end, by: Int64.Stride(period))
      return [MetricResult(id: query.id, label: query.label ?? query.id, values: starts.map { ($0, number) })]
    case .text: return []
    }
  }

  /// A statistic of a metric, in the order of time.
  func values(
    _ stat: MetricQuery.Stat, _ span: MetricSpan, _ place: Place
  ) async throws(AWSError) -> [(start: Int64, value: Double)] {
    guard let statistic = MetricStatistic(stat.statistic) else { throw .cloudWatchStatistic(stat.statistic) }
    var span = span
    span.period = stat.period
    span = span.rounded(now: world.now().seconds)
    do throws(Fault) {
      let points = try await metrics.values(
        of: stat.metric.at(place), unit: stat.unit, period: span.period, from: span.start, to: span.end)
      return points.values.compactMap { start, values in values.statistic(statistic).map { (start, $0) } }
    } catch {
      throw .service("\(error)")
    }
  }
}
