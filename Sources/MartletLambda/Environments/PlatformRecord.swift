// What the platform tells of an environment: events of the Telemetry API, and the lines of a log in JSON.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html, reference/runtime-api.md 1.5 and 1.9
import MartletCore
import MartletWire

struct PlatformRecord {
  /// `SystemLogLevel`: what is below it is not logged. Subscribers get everything.
  enum Level: Int {
    case debug
    case info
    case warn

    init(_ name: String?) {
      switch name {
      case "DEBUG": self = .debug
      case "WARN": self = .warn
      default: self = .info
      }
    }
  }

  /// `platform.start` …
  let type: String
  let record: JSONValue
  let level: Level

  private init(_ type: String, _ level: Level, _ members: (name: String, value: JSONValue?)...) {
    self.type = "platform.\(type)"
    self.level = level
    record = .object(members.compactMap { member in member.value.map { JSONValue.Member(member.name, $0) } })
  }

  // MARK: Initialisation

  /// How an environment initialises.
  struct Initialisation {
    /// `on-demand` or `provisioned-concurrency`.
    let type: String
    /// `init` or `invoke`.
    let phase: String

  }

  static func initStart(
    _ c: FunctionConfiguration, _ initialisation: Initialisation, instance: String
  ) -> PlatformRecord {
    let version = runtimeVersion(c)
    return PlatformRecord(
      "initStart", version == nil ? .debug : .info, ("initializationType", .string(initialisation.type)),
      ("phase", .string(initialisation.phase)), ("runtimeVersion", version.map { .string($0) }),
      ("runtimeVersionArn", c.runtime.map { .string(RuntimeVersion.arn($0, region: c.place.region)) }),
      ("functionName", .string(c.name)), ("functionArn", .string(c.arn)),
      ("functionVersion", .string(c.version.description)), ("instanceId", .string(instance)),
      ("instanceMaxMemory", .integer(Int64(c.memorySize) << 20)))
  }

  private static func runtimeVersion(_ c: FunctionConfiguration) -> String? {
    let identifier = c.runtime.flatMap { RuntimeCatalog.identifier($0) }
    let family = identifier?.family.rawValue ?? ""
    let number = identifier?.version ?? c.runtime.map { String($0.dropFirst(family.count + 1)) }
    return number.map { "\(family):\($0).v1" }
  }

  // MARK: Restoration of a snapshot

  static func restoreStart(_ c: FunctionConfiguration, instance: String) -> PlatformRecord {
    let version = runtimeVersion(c)
    return PlatformRecord(
      "restoreStart", version == nil ? .debug : .info, ("runtimeVersion", version.map { .string($0) }),
      ("runtimeVersionArn", c.runtime.map { .string(RuntimeVersion.arn($0, region: c.place.region)) }),
      ("functionName", .string(c.name)), ("functionVersion", .string(c.version.description)),
      ("instanceId", .string(instance)), ("instanceMaxMemory", .integer(Int64(c.memorySize) << 20)))
  }

  static func restoreRuntimeDone(_ failure: FunctionFailure?) -> PlatformRecord {
    PlatformRecord(
      "restoreRuntimeDone", failure == nil ? .debug : .warn, ("status", .string(failure?.status ?? "success")),
      ("errorType", errorType(failure)))
  }

  static func restoreReport(_ duration: Nanoseconds, _ failure: FunctionFailure?) -> PlatformRecord {
    PlatformRecord(
      "restoreReport", failure == nil ? .info : .warn, ("status", .string(failure?.status ?? "success")),
      ("errorType", errorType(failure)), ("metrics", .members(("durationMs", .double(duration.fraction)))))
  }

  // MARK: Initialisation

  static func initRuntimeDone(_ initialisation: Initialisation, _ failure: FunctionFailure?) -> PlatformRecord {
    PlatformRecord(
      "initRuntimeDone", failure == nil ? .debug : .warn, ("initializationType", .string(initialisation.type)),
      ("phase", .string(initialisation.phase)), ("status", .string(failure?.status ?? "success")),
      ("errorType", errorType(failure)))
  }

  static func initReport(
    _ initialisation: Initialisation, _ duration: Nanoseconds, _ failure: FunctionFailure?
  ) -> PlatformRecord {
    let level: Level = failure != nil ? .warn : initialisation.type == "on-demand" ? .debug : .info
    return PlatformRecord(
      "initReport", level, ("initializationType", .string(initialisation.type)),
      ("phase", .string(initialisation.phase)), ("status", .string(failure?.status ?? "success")),
      ("errorType", errorType(failure)), ("metrics", .members(("durationMs", .double(duration.fraction)))))
  }

  // MARK: Extensions

  static func `extension`(_ name: String, state: String, events: [String], errorType: String?) -> PlatformRecord {
    PlatformRecord(
      "extension", errorType == nil ? .info : .warn, ("name", .string(name)), ("state", .string(state)),
      ("events", .array(events.map { .string($0) })), ("errorType", errorType.map { .string($0) }))
  }

  static func subscription(_ api: TelemetrySubscription.API, name: String, types: [String]) -> PlatformRecord {
    PlatformRecord(
      api == .telemetry ? "telemetrySubscription" : "logsSubscription", .info, ("name", .string(name)),
      ("state", .string("Subscribed")), ("types", .array(types.map { .string($0) })))
  }

  static func logsDropped(_ loss: TelemetryBuffer.Loss, _ api: TelemetrySubscription.API) -> PlatformRecord {
    let reason =
      api == .telemetry
      ? "Some logs were dropped because the downstream consumer is slower than the logs production rate"
      : "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."
    return PlatformRecord(
      "logsDropped", .warn, ("droppedBytes", .integer(Int64(loss.bytes))),
      ("droppedRecords", .integer(Int64(loss.records))), ("reason", .string(reason)))
  }

  // MARK: Invocations

  static func start(_ work: Work, _ version: VersionName, span: String) -> PlatformRecord {
    PlatformRecord(
      "start", .info, ("requestId", .string(work.invocation.requestID.description)),
      ("version", .string(version.description)), ("tracing", tracing(work, span)), ("tenantId", tenant(work)))
  }

  /// When the runtime was done, and what it did till then.
  struct RuntimeDone {
    let duration: Nanoseconds
    /// From the beginning to the answer; nil without one.
    let responseLatency: Nanoseconds?
    /// From the first byte of the answer to the last.
    let responseDuration: Nanoseconds
    /// From the answer to `/next`.
    let overhead: Nanoseconds?
    let producedBytes: Int?
  }

  static func runtimeDone(
    _ work: Work, _ done: RuntimeDone, _ failure: FunctionFailure?, began: Timestamp, span: String
  ) -> PlatformRecord {
    var spans: [JSONValue] = []
    if let latency = done.responseLatency, let overhead = done.overhead {
      let answered = began + .nanoseconds(Int64(latency.count))
      spans = [
        PlatformRecord.span("responseLatency", began, latency),
        PlatformRecord.span("responseDuration", answered, done.responseDuration),
        PlatformRecord.span("runtimeOverhead", answered + .nanoseconds(Int64(done.responseDuration.count)), overhead),
      ]
    }
    return PlatformRecord(
      "runtimeDone", failure == nil ? .debug : .warn, ("requestId", .string(work.invocation.requestID.description)),
      ("status", .string(failure?.status ?? "success")), ("errorType", errorType(failure)),
      ("tracing", tracing(work, span)), ("spans", spans.isEmpty ? nil : .array(spans)),
      (
        "metrics",
        .members(
          ("durationMs", .double(done.duration.fraction)),
          ("producedBytes", done.producedBytes.map { .integer(Int64($0)) }))
      ), ("tenantId", tenant(work)))
  }

  static func report(
    _ work: Work, _ report: InvocationReport, extensionOverhead: (began: Timestamp, Nanoseconds)?, span: String
  ) -> PlatformRecord {
    let restore = report.billedRestore
    return PlatformRecord(
      "report", report.failure == nil ? .info : .warn,
      ("requestId", .string(work.invocation.requestID.description)),
      (
        "metrics",
        .members(
          ("durationMs", .double(report.duration.fraction)),
          ("billedDurationMs", .integer(Int64(report.billed))), ("memorySizeMB", .integer(Int64(report.memorySize))),
          ("maxMemoryUsedMB", .integer(Int64(report.memoryUsed))),
          ("initDurationMs", restore == nil ? report.initialisation.map { .double($0.fraction) } : nil),
          ("restoreDurationMs", restore == nil ? nil : report.initialisation.map { .double($0.fraction) }),
          ("billedRestoreDurationMs", restore.map { .integer(Int64($0)) }))
      ),
      ("tracing", tracing(work, span)),
      ("spans", extensionOverhead.map { .array([PlatformRecord.span("extensionOverhead", $0.began, $0.1)]) }),
      ("status", .string(report.failure?.status ?? "success")), ("errorType", errorType(report.failure)),
      ("tenantId", tenant(work)))
  }

  /// Of the Logs API only.
  static func end(_ work: Work) -> PlatformRecord {
    PlatformRecord("end", .info, ("requestId", .string(work.invocation.requestID.description)))
  }

  /// Of the Logs API only.
  static func fault(_ work: Work, _ failure: FunctionFailure) -> PlatformRecord {
    let message = "RequestId: \(work.invocation.requestID) Error: \(failure.message)\n\(failure.type)"
    return PlatformRecord("fault", .warn, ("message", .string(message)))
  }

  private static func span(_ name: String, _ start: Timestamp, _ duration: Nanoseconds) -> JSONValue {
    .members(
      ("name", .string(name)), ("start", .string(start.iso8601)), ("durationMs", .double(duration.fraction)))
  }

  /// Time-outs have a status of their own, and no type.
  private static func errorType(_ failure: FunctionFailure?) -> JSONValue? {
    failure.flatMap { $0.status == "timeout" ? nil : .string($0.type) }
  }

  private static func tenant(_ work: Work) -> JSONValue? { work.invocation.tenant.map { .string($0) } }

  /// Only sampled traces are told.
  private static func tracing(_ work: Work, _ span: String) -> JSONValue? {
    guard work.traceHeader.contains("Sampled=1") else { return nil }
    return .members(
      ("spanId", .string(span)), ("type", .string("X-Amzn-Trace-Id")), ("value", .string(work.traceHeader)))
  }

  /// The record as one line of a log in JSON.
  func line(at time: Timestamp) -> String {
    let event: JSONValue = .members(("time", .string(time.iso8601)), ("type", .string(type)), ("record", record))
    return event.text + "\n"
  }
}

extension Nanoseconds {
  /// Milliseconds with three decimals.
  var fraction: Double { Double((count + 500) / 1000) / 1000 }
}
