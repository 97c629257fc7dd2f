// What the values of a metric make of an alarm: M out of N, and what is made of missing ones. Pure.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-and-missing-data
import MartletCore

enum AlarmValue: String, Sendable, CaseIterable {
  case ok = "OK"
  case alarm = "ALARM"
  case insufficientData = "INSUFFICIENT_DATA"
}

struct AlarmEvaluation: Sendable, Equatable {
  enum Missing: String, Sendable {
    case missing, ignore, breaching, notBreaching
  }

  enum Comparison: String, Sendable, CaseIterable {
    case atLeast = "GreaterThanOrEqualToThreshold"
    case above = "GreaterThanThreshold"
    case below = "LessThanThreshold"
    case atMost = "LessThanOrEqualToThreshold"

    func isBreach(_ value: Double, _ threshold: Double) -> Bool {
      switch self {
      case .atLeast: value >= threshold
      case .above: value > threshold
      case .below: value < threshold
      case .atMost: value <= threshold
      }
    }

    /// `greater than the threshold`
    var words: String {
      switch self {
      case .atLeast: "greater than or equal to the threshold"
      case .above: "greater than the threshold"
      case .below: "less than the threshold"
      case .atMost: "less than or equal to the threshold"
      }
    }
  }

  let comparison: Comparison
  let threshold: Double
  /// N.
  let periods: Int
  /// M.
  let datapoints: Int
  let missing: Missing

  /// Periods that are looked at: some more than N, so that values may come late.
  var range: Int { periods + 2 }

  /// - Parameter values: of the periods that are over, the newest last; nil = there is none.
  /// - Returns: nil if the state stays.
  func state(_ values: [Double?]) -> AlarmValue? {
    let known = values.suffix(range).compactMap { $0 }.suffix(periods)
    let breaches = known.count(where: { comparison.isBreach($0, threshold) })
    let others = known.count - breaches
    let gaps = periods - known.count
    if gaps == 0 { return breaches >= datapoints ? .alarm : .ok }
    switch missing {
    case .breaching: return breaches + gaps >= datapoints ? .alarm : .ok
    case .notBreaching: return breaches >= datapoints ? .alarm : .ok
    case .ignore:
      if breaches >= datapoints { return .alarm }
      return others == 0 ? nil : .ok
    case .missing:
      if known.isEmpty { return .insufficientData }
      // What is known decides, and be it one value.
      return breaches >= datapoints || others == 0 ? .alarm : .ok
    }
  }

  /// Why a state is what it is, in AWS's words.
  /// - Parameter points: the newest first, with their times.
  func reason(_ state: AlarmValue, _ points: [(start: Int64, value: Double)], found: Int) -> String {
    if state == .insufficientData {
      return "Insufficient Data: \(periods) \(periods == 1 ? "datapoint was" : "datapoints were") unknown."
    }
    let wanted = state == .alarm
    let matching = points.filter { comparison.isBreach($0.value, threshold) == wanted }
    let shown = matching.map { "\($0.value) (\(AlarmEvaluation.time($0.start)))" }.joined(separator: ", ")
    let verb = matching.count == 1 ? "was" : "were"
    let not = wanted ? "" : "not "
    let minimum = wanted ? datapoints : periods - datapoints + 1
    guard found > 0 else {
      let treated = missing == .breaching ? "Breaching" : "NonBreaching"
      return
        "Threshold Crossed: no datapoints were received for \(periods) \(periods == 1 ? "period" : "periods") and "
        + "\(periods) missing \(periods == 1 ? "datapoint was" : "datapoints were") treated as [\(treated)]."
    }
    let kind = state == .alarm ? "OK -> ALARM" : "ALARM -> OK"
    if periods == 1 {
      return "Threshold Crossed: 1 datapoint [\(shown)] was \(not)\(comparison.words) (\(threshold))."
    }
    return
      "Threshold Crossed: \(matching.count) out of the last \(periods) datapoints [\(shown)] \(verb) \(not)"
      + "\(comparison.words) (\(threshold)) (minimum \(minimum) \(minimum == 1 ? "datapoint" : "datapoints") for "
      + "\(kind) transition)."
  }

  /// `15/01/27 08:00:00`
  private static func time(_ second: Int64) -> String {
    let text = Array(Timestamp(milliseconds: second * 1000).iso8601Seconds)
    return "\(String(text[8...9]))/\(String(text[5...6]))/\(String(text[2...3])) \(String(text[11...18]))"
  }
}
