// The lines that the platform writes into a function's log (reference/runtime-api.md 1.9).
import MartletCore
import MartletWire

enum LogLines {
  static func start(_ id: RequestID, _ version: VersionName) -> String {
    "START RequestId: \(id) Version: \(version)\n"
  }

  static func end(_ id: RequestID) -> String { "END RequestId: \(id)\n" }

  static func timedOut(_ id: RequestID, at moment: Timestamp, seconds: Int) -> String {
    "\(moment.iso8601) \(id) Task timed out after \(seconds).00 seconds\n\n"
  }

  /// The first line of an environment; nil if there is no version to tell.
  static func initStart(_ record: PlatformRecord, _ word: String = "INIT_START") -> String? {
    guard let version = record.record["runtimeVersion"]?.string, let arn = record.record["runtimeVersionArn"]?.string
    else { return nil }
    return "\(word) Runtime Version: \(version)\tRuntime Version ARN: \(arn)\n"
  }

  static func initReport(_ duration: Nanoseconds, phase: String, _ failure: FunctionFailure?) -> String {
    let line = "INIT_REPORT Init Duration: \(duration.milliseconds) ms\tPhase: \(phase)"
    guard let failure else { return line + "\n" }
    let type = failure.status == "timeout" ? "" : "\tError Type: \(failure.type)"
    return line + "\tStatus: \(failure.status)\(type)\n"
  }

  static func restoreReport(_ duration: Nanoseconds, _ failure: FunctionFailure?) -> String {
    let line = "RESTORE_REPORT Restore Duration: \(duration.milliseconds) ms"
    guard let failure else { return line + "\n" }
    let type = failure.status == "timeout" ? "" : "\tError Type: \(failure.type)"
    return line + "\tStatus: \(failure.status)\(type)\n"
  }

  static func dropped(_ loss: TelemetryBuffer.Loss) -> String {
    "LOGS_DROPPED\tRecords: \(loss.records)\tBytes: \(loss.bytes)\tReason: more was logged than could be written\n"
  }

  static func `extension`(_ name: String, state: String, events: [String], errorType: String?) -> String {
    let type = errorType.map { "\tError Type: \($0)" } ?? ""
    return "EXTENSION\tName: \(name)\tState: \(state)\tEvents: [\(events.joined(separator: ", "))]\(type)\n"
  }

  static func subscription(_ api: TelemetrySubscription.API, name: String, types: [String]) -> String {
    let words = types.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: ", ")
    let kind = api == .telemetry ? "TELEMETRY" : "LOGS"
    return "\(kind)\tName: \(name)\tState: Subscribed\tTypes: [\(words)]\n"
  }

  /// What ends the REPORT of a traced invocation.
  static func traced(_ trace: InvocationTrace) -> String {
    "XRAY TraceId: \(trace.root)\tSegmentId: \(trace.function)\tSampled: true\t\n"
  }

  /// A crash's own line after REPORT.
  static func crash(_ id: RequestID, _ failure: FunctionFailure) -> String {
    "RequestId: \(id) Error: \(failure.message)\n\(failure.type)\n"
  }

  static func report(_ id: RequestID, _ report: InvocationReport) -> String {
    var line = "REPORT RequestId: \(id)\tDuration: \(report.duration.milliseconds) ms\t"
    line += "Billed Duration: \(report.billed) ms\t"
    line += "Memory Size: \(report.memorySize) MB\tMax Memory Used: \(report.memoryUsed) MB\t"
    if let initialisation = report.initialisation, let billed = report.billedRestore {
      line += "Restore Duration: \(initialisation.milliseconds) ms\tBilled Restore Duration: \(billed) ms\t"
    } else if let initialisation = report.initialisation {
      line += "Init Duration: \(initialisation.milliseconds) ms\t"
    }
    if let failure = report.failure {
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
