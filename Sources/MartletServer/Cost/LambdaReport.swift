// The figures of one invocation, read from its log: the REPORT line, or the record platform.report.
// https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
import MartletWire

package struct LambdaReport: Sendable, Equatable {
  /// Milliseconds, with a fraction.
  package var duration: Double
  /// Milliseconds.
  package var billed: Int64
  /// Mebibytes.
  package var memorySize: Int64
  package var memoryUsed: Int64
  /// Milliseconds, with a fraction; nil if there was no INIT.
  package var initialisation: Double?

  /// The last one in a log; nil if there is none.
  package init?(log: String) {
    for line in log.split(separator: "\n").reversed() {
      if line.hasPrefix("REPORT RequestId: ") {
        self.init(line: line)
        return
      }
      if line.hasPrefix("{"), line.contains("platform.report"), let record = try? JSONValue(parsing: String(line)),
        record["type"]?.string == "platform.report", let metrics = record["record"]?["metrics"]
      {
        self.init(metrics)
        return
      }
    }
    return nil
  }

  private init?(line: Substring) {
    var fields: [Substring: Substring] = [:]
    for field in line.split(separator: "\t") {
      guard let mark = field.firstRange(of: ": ") else { continue }
      fields[field[..<mark.lowerBound]] = field[mark.upperBound...].prefix { $0 != " " }
    }
    guard let duration = fields["Duration"].flatMap({ Double($0) }),
      let billed = fields["Billed Duration"].flatMap({ Int64($0) }),
      let size = fields["Memory Size"].flatMap({ Int64($0) })
    else { return nil }
    self.duration = duration
    self.billed = billed
    memorySize = size
    memoryUsed = fields["Max Memory Used"].flatMap { Int64($0) } ?? size
    initialisation = fields["Init Duration"].flatMap { Double($0) }
  }

  private init?(_ metrics: JSONValue) {
    guard let duration = metrics["durationMs"]?.number, let billed = metrics["billedDurationMs"]?.integer,
      let size = metrics["memorySizeMB"]?.integer
    else { return nil }
    self.duration = duration
    self.billed = Int64(billed)
    memorySize = Int64(size)
    memoryUsed = Int64(metrics["maxMemoryUsedMB"]?.integer ?? size)
    initialisation = metrics["initDurationMs"]?.number
  }
}
