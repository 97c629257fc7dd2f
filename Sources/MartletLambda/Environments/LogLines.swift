// The lines that the platform writes into a function's log (reference/runtime-api.md 1.9).
import MartletCore

enum LogLines {
  static func start(_ id: RequestID, _ version: VersionName) -> String {
    "START RequestId: \(id) Version: \(version)\n"
  }

  static func end(_ id: RequestID) -> String { "END RequestId: \(id)\n" }

  static func timedOut(_ id: RequestID, at moment: Timestamp, seconds: Int) -> String {
    "\(moment.iso8601) \(id) Task timed out after \(seconds).00 seconds\n\n"
  }

  static func initReport(_ duration: Nanoseconds, phase: String, _ failure: FunctionFailure) -> String {
    let type = failure.status == "timeout" ? "" : "\tError Type: \(failure.type)"
    return "INIT_REPORT Init Duration: \(duration.milliseconds) ms\tPhase: \(phase)\tStatus: \(failure.status)\(type)\n"
  }

  /// A crash's own line after REPORT.
  static func crash(_ id: RequestID, _ failure: FunctionFailure) -> String {
    "RequestId: \(id) Error: \(failure.message)\n\(failure.type)\n"
  }

  /// - Parameter initialisation: how long INIT took, on the first invocation only; it is billed.
  static func report(
    _ id: RequestID, duration: Nanoseconds, initialisation: Nanoseconds?, memorySize: Int, peak: ByteCount?,
    failure: FunctionFailure?
  ) -> String {
    let billed = Nanoseconds(count: duration.count + (initialisation?.count ?? 0)).wholeMilliseconds
    let used = peak.map { min(memorySize, max(1, ($0.bytes + 524_288) >> 20)) } ?? memorySize
    var line = "REPORT RequestId: \(id)\tDuration: \(duration.milliseconds) ms\tBilled Duration: \(billed) ms\t"
    line += "Memory Size: \(memorySize) MB\tMax Memory Used: \(used) MB\t"
    if let initialisation { line += "Init Duration: \(initialisation.milliseconds) ms\t" }
    if let failure {
      line += "Status: \(failure.status)"
      if failure.status != "timeout" { line += "\tError Type: \(failure.type)" }
    }
    return line + "\n"
  }
}

/// A measured length of time.
struct Nanoseconds: Equatable {
  let count: UInt64

  /// `3.01`
  var milliseconds: String {
    let hundredths = (count + 5_000) / 10_000
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  /// Rounded up, at least one.
  var wholeMilliseconds: UInt64 { max(1, (count + 999_999) / 1_000_000) }
}
