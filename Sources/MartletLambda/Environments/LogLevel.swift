// The levels of a function's own log records, by which JSON logs are filtered.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
import MartletWire
import NIOCore

enum LogLevel: Int {
  case trace
  case debug
  case info
  case warn
  case error
  case fatal

  /// nil for what is no level.
  init?(_ name: String) {
    switch name.uppercased() {
    case "TRACE": self = .trace
    case "DEBUG": self = .debug
    case "INFO": self = .info
    case "WARN", "WARNING": self = .warn
    case "ERROR": self = .error
    case "FATAL", "CRITICAL": self = .fatal
    default: return nil
    }
  }

  /// The level of a record; without one it is INFO.
  static func of(_ record: JSONValue) -> LogLevel {
    (record["level"] ?? record["log_level"])?.string.flatMap { LogLevel($0) } ?? .info
  }
}
