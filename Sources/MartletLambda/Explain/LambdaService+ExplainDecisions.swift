// Why invocations of a function were refused, and why some of them had to wait for an environment: docs/explain.md.
import MartletCore
import MartletWire

extension LambdaService {
  /// What was decided of a function since the server was started; nothing where nothing was.
  /// - Parameter arn: a name or an ARN, with or without a qualifier.
  package func explain(decisionsOf arn: String, in place: Place) -> Explanation {
    var found = Explanation("the function \(arn)")
    guard let reference = try? FunctionNameParts(arn)?.resolve(qualifier: nil, in: place),
      let decisions = metrics.decisions(of: reference.key)
    else { return found }
    if let last = decisions.throttles.last?.last {
      let text = "It was refused with 429 \(LambdaService.sum(decisions.counts.filter(\.key.isThrottle)))."
      if last + LambdaService.recent > world.now() { found.warns(text) } else { found.says(text) }
    }
    for entry in decisions.throttles.suffix(LambdaService.shown) {
      found.says("\(LambdaService.time(entry)): 429, because \(entry.decision.words) (\(entry.decision.reason)).")
    }
    if !decisions.coldStarts.isEmpty {
      found.says("Cold starts: \(LambdaService.sum(decisions.counts.filter { !$0.key.isThrottle })).")
    }
    for entry in decisions.coldStarts.suffix(LambdaService.shown) {
      found.says(
        "\(LambdaService.time(entry)): cold start, because of \(entry.decision.reason): \(entry.decision.words).")
    }
    return found
  }

  /// How many of each are told with their times.
  private static let shown = 8
  /// What happened so lately may happen again.
  private static let recent = Duration.seconds(60)

  private static func sum(_ counts: [Decision: Int]) -> String {
    let sorted = counts.sorted { ($1.value, $0.key.reason) < ($0.value, $1.key.reason) }
    let parts = sorted.map { "\($0.value) \($0.key.reason)" }.joined(separator: ", ")
    return "\(counts.values.reduce(0, +)) times since the server was started: \(parts)"
  }

  private static func time(_ entry: DecisionLog.Entry) -> String {
    entry.count == 1
      ? entry.first.iso8601 : "\(entry.first.iso8601) to \(entry.last.iso8601), \(entry.count) times"
  }
}
