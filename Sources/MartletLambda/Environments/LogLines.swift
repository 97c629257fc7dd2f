// The lines that the platform writes into a function's log (reference/runtime-api.md 1.9).
import MartletCore
import MartletWire

enum LogLines {
  static func start(_ id: RequestID, _ version: VersionName) -> String {
    let version = version.description
    return String(capacity: 64 + version.utf8.count) { line in
      line.write("START RequestId: ")
      line.write(id)
      line.write(" Version: ")
      line.write(text: version)
      line.write("\n")
    }
  }

  static func end(_ id: RequestID) -> String {
    String(capacity: 64) { line in
      line.write("END RequestId: ")
      line.write(id)
      line.write("\n")
    }
  }

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
    let failure = report.failure
    // What every line has is shorter than this.
    return String(capacity: 320 + (failure.map { $0.status.utf8.count + $0.type.utf8.count } ?? 0)) { line in
      line.write("REPORT RequestId: ")
      line.write(id)
      line.write("\tDuration: ")
      report.duration.write(to: &line)
      line.write(" ms\tBilled Duration: ")
      line.write(report.billed)
      line.write(" ms\tMemory Size: ")
      line.write(report.memorySize)
      line.write(" MB\tMax Memory Used: ")
      line.write(report.memoryUsed)
      line.write(" MB\t")
      if let initialisation = report.initialisation, let billed = report.billedRestore {
        line.write("Restore Duration: ")
        initialisation.write(to: &line)
        line.write(" ms\tBilled Restore Duration: ")
        line.write(billed)
        line.write(" ms\t")
      } else if let initialisation = report.initialisation {
        line.write("Init Duration: ")
        initialisation.write(to: &line)
        line.write(" ms\t")
      }
      if let failure {
        line.write("Status: ")
        line.write(text: failure.status)
        if failure.status != "timeout" {
          line.write("\tError Type: ")
          line.write(text: failure.type)
        }
      }
      line.write("\n")
    }
  }
}

/// A measured length of time.
struct Nanoseconds: Equatable {
  let count: UInt64

  /// `3.01`
  var milliseconds: String { String(capacity: 24) { write(to: &$0) } }

  /// The same: milliseconds with two places.
  func write(to text: inout TextCursor) {
    let hundredths = (count + 5_000) / 10_000
    text.write(hundredths / 100)
    text.write(".")
    text.write(UInt8(truncatingIfNeeded: 48 + hundredths % 100 / 10))
    text.write(UInt8(truncatingIfNeeded: 48 + hundredths % 10))
  }

  /// Rounded up, at least one.
  var wholeMilliseconds: UInt64 { max(1, (count + 999_999) / 1_000_000) }
}
