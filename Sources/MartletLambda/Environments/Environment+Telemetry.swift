// What an environment tells of itself and of what is printed in it: to the log of an invocation, and to subscribers of
// the Telemetry and Logs APIs. Without subscribers and in the text format this is next to nothing.
import Glibc
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore
import Synchronization

extension Environment {
  // MARK: - Lines that are printed

  /// The function's records are filtered by their levels (`LoggingConfig`, JSON only).
  private var filtersRecords: Bool { configuration.logging.format == .json }

  /// A program has printed.
  func printed(_ bytes: ByteBuffer, _ source: LogSource, _ category: TelemetrySubscription.Category) {
    let live = live.value
    let takesLines = filtersRecords || live.concurrent != nil
    guard takesLines || live.isFollowed else { return live.log.append(bytes) }
    if !takesLines { live.log.append(bytes) }
    for line in source.lines.append(bytes) { take(line, category, live) }
  }

  /// A log that is to be shown ends with what has no line end yet.
  func flushLines(_ live: Live) {
    guard filtersRecords, live.concurrent == nil else { return }
    for source in [live.output] + (live.extensions?.outputs ?? []) {
      if let line = source.lines.flush() { take(line, source === live.output ? .function : .extension, live) }
    }
  }

  private func take(_ line: ByteBuffer, _ category: TelemetrySubscription.Category, _ live: Live) {
    var payload = TelemetryEvent.Payload.text(line)
    if filtersRecords || live.concurrent != nil {
      var object: JSONValue?
      if line.readableBytesView.first == UInt8(ascii: "{"), let record = try? JSONValue(parsing: line) {
        payload = .object(line)
        object = record
        let lowest = configuration.logging.applicationLevel.flatMap { LogLevel($0) } ?? .info
        if filtersRecords, category == .function, LogLevel.of(record).rawValue < lowest.rawValue { return }
      }
      append(line, object, live)
    }
    live.kept?.write(line: line)
    guard live.telemetry != nil else { return }
    live.telemetry?.add(TelemetryEvent(time: parts.world.now(), category: category, payload: payload))
  }

  // MARK: - Records of the platform

  /// Tells a record to the subscribers, and to the log if an invocation wants it.
  /// - Parameters:
  ///   - text: the record as the text format has it, with its line end; nil if it has none.
  ///   - work: whose log it goes to; nil = the environment's.
  ///   - isKept: false for what comes into the log stream in another way.
  func tell(
    _ record: PlatformRecord, text: String? = nil, of work: Work? = nil, toLog: Bool, isKept: Bool = true, _ live: Live
  ) {
    let now = parts.world.now()
    live.telemetry?.add(TelemetryEvent(time: now, category: .platform, payload: .platform(record)))
    guard toLog || (isKept && live.kept != nil), let line = line(record, text, at: now) else { return }
    if toLog { log(of: work, live).write(line) }
    if isKept { live.kept?.write(line) }
  }

  /// A record as the log has it; nil if it does not belong there.
  private func line(_ record: PlatformRecord, _ text: String?, at now: Timestamp) -> String? {
    guard configuration.logging.format == .json else { return text }
    let lowest = PlatformRecord.Level(configuration.logging.systemLevel)
    return record.level.rawValue >= lowest.rawValue ? record.line(at: now) : nil
  }

  private func initialisation(_ live: Live) -> PlatformRecord.Initialisation {
    PlatformRecord.Initialisation(
      type: EnvironmentSetup.initializationType(configuration, isProvisioned: fate != nil),
      phase: live.initPhase == .initialisation ? "init" : "invoke")
  }

  /// What happens is a restoration, and told as that.
  private func isRestoring(_ live: Live) -> Bool {
    live.machine.restores && trial == nil && live.initPhase == .initialisation
  }

  /// The log of an invocation is being written, and it wants to see it.
  private func isLogged(_ work: Work?, _ live: Live) -> Bool {
    live.initPhase == .invocation && work?.invocation.wantsLog == true
  }

  func tellInitStart(_ live: Live) {
    guard live.isFollowed || configuration.logging.format == .json else { return }
    if isRestoring(live) {
      let record = PlatformRecord.restoreStart(configuration, instance: logStream)
      return tell(record, text: LogLines.initStart(record, "RESTORE_START"), toLog: false, live)
    }
    let record = PlatformRecord.initStart(configuration, initialisation(live), instance: logStream)
    tell(
      record, text: live.initPhase == .initialisation ? LogLines.initStart(record) : nil,
      toLog: isLogged(live.machine.work, live),
      live)
  }

  /// The runtime has initialised, or something has failed.
  func tellInitRuntimeDone(_ failure: FunctionFailure?, _ work: Work?, _ live: Live) {
    guard live.telemetry != nil || (live.kept != nil && filtersRecords) else { return }
    if isRestoring(live) { return tell(.restoreRuntimeDone(failure), toLog: false, live) }
    tell(.initRuntimeDone(initialisation(live), failure), toLog: isLogged(work, live), live)
  }

  /// Initialisation is over: which extensions there are, and how long it took.
  func tellInitReport(_ duration: Nanoseconds, _ failure: FunctionFailure?, _ work: Work?, _ live: Live) {
    for member in live.extensions?.machine.members ?? [] {
      let events = member.events.map(\.rawValue)
      let type = failure?.type.hasPrefix("Extension.") == true && member.state != .ready ? failure?.type : nil
      tell(
        .extension(member.name, state: member.state.rawValue, events: events, errorType: type),
        text: LogLines.extension(member.name, state: member.state.rawValue, events: events, errorType: type),
        toLog: isLogged(work, live), live)
    }
    if isRestoring(live) {
      let text = LogLines.restoreReport(duration, failure)
      return tell(.restoreReport(duration, failure), text: text, toLog: false, live)
    }
    let isTold = filtersRecords || fate != nil || trial != nil
    guard failure != nil || live.telemetry != nil || (live.kept != nil && isTold) else { return }
    // Who only initialises on demand says nothing of success.
    let text =
      failure == nil && fate == nil && trial == nil
      ? nil : LogLines.initReport(duration, phase: live.initPhase == .initialisation ? "init" : "invoke", failure)
    tell(
      .initReport(initialisation(live), duration, failure), text: text, toLog: work?.invocation.wantsLog == true, live)
  }

  func tellStart(_ work: Work, _ live: Live) {
    work.span =
      work.invocation.trace?.function
      ?? (live.telemetry == nil ? "" : randomHex(16, from: parts.world))
    guard live.telemetry != nil || configuration.logging.format == .json else {
      let line = LogLines.start(work.invocation.requestID, configuration.version)
      if work.invocation.wantsLog { log(of: work, live).write(line) }
      live.kept?.write(line)
      return
    }
    work.began = parts.world.now()
    tell(
      .start(work, configuration.version, span: work.span),
      text: LogLines.start(work.invocation.requestID, configuration.version), of: work, toLog: work.invocation.wantsLog,
      live)
  }

  /// The runtime has answered; what it says about its own failure is told with the record of its end.
  func noteAnswer(_ work: Work, bytes: Int, errorType: String?, _ live: Live) {
    guard live.telemetry != nil || work.invocation.trace != nil else { return }
    let now = parts.world.monotonic()
    work.answer = (work.answerBegan ?? now, now, bytes, errorType)
  }

  /// The runtime is done with an invocation: it is back in `/next`, or is no more.
  func tellRuntimeDone(_ work: Work, _ failure: FunctionFailure?, _ live: Live) {
    if live.extensions != nil || live.telemetry != nil { work.runtimeDone = parts.world.monotonic() }
    guard live.telemetry != nil else { return }
    let failure = failure ?? ownFailure(work)
    let done = PlatformRecord.RuntimeDone(
      duration: Nanoseconds(count: work.runtimeDone &- work.started),
      responseLatency: work.answer.map { Nanoseconds(count: $0.began &- work.started) },
      responseDuration: work.answer.map { Nanoseconds(count: $0.moment &- $0.began) } ?? Nanoseconds(count: 0),
      overhead: work.answer.map { Nanoseconds(count: work.runtimeDone &- $0.moment) },
      producedBytes: work.answer?.bytes)
    let record = PlatformRecord.runtimeDone(work, done, failure, began: work.began, span: work.span)
    live.output.whenCaughtUp { self.tell(record, toLog: false, isKept: false, live) }
  }

  /// What the function said about its own failure.
  private func ownFailure(_ work: Work) -> FunctionFailure? {
    work.answer?.errorType.map { FunctionFailure(type: $0, message: "") }
  }

  /// The invocation is over.
  func tellEnd(_ work: Work, _ failure: FunctionFailure?, _ live: Live) {
    keepEnd(work, failure, live)
    if live.extensions?.machine.followsInvocations == true, work.runtimeDone > work.started {
      let nanoseconds = parts.world.monotonic() &- work.runtimeDone
      parts.metrics?.note(
        .postRuntimeExtensionsDuration, of: work.invocation.function, Double(nanoseconds / 10_000) / 100)
    }
    guard live.telemetry != nil else { return }
    let report = report(work, failure ?? ownFailure(work), live)
    var overhead: (began: Timestamp, Nanoseconds)?
    if work.runtimeDone > work.started {
      let began = work.began + .nanoseconds(Int64(work.runtimeDone - work.started))
      overhead = (began, Nanoseconds(count: parts.world.monotonic() &- work.runtimeDone))
    }
    let record = PlatformRecord.report(work, report, extensionOverhead: overhead, span: work.span)
    live.whenCaughtUp {
      if let failure, failure.status != "timeout" {
        self.tell(.fault(work, failure), toLog: false, isKept: false, live)
      }
      self.tell(.end(work), toLog: false, isKept: false, live)
      self.tell(record, toLog: false, isKept: false, live)
    }
  }

  /// The figures of the invocation that ends now; they are the same wherever they are told.
  func report(_ work: Work, _ failure: FunctionFailure?, _ live: Live) -> InvocationReport {
    InvocationReport(
      duration: duration(of: work, failure), initialisation: live.initDuration, isProvisioned: fate != nil,
      restored: live.restored, memorySize: configuration.memorySize, peak: live.resources?.peakMemory(),
      failure: failure)
  }

  /// END, REPORT, and what goes with a failure, for whoever wanted to see the log.
  func writeEnd(_ work: Work, _ report: InvocationReport, _ live: Live) {
    if filtersRecords { flushLines(live) }
    work.told = report
    for line in endLines(work, report, live) { log(of: work, live).write(line) }
  }

  /// The same for the log stream.
  func keepEnd(_ work: Work, _ failure: FunctionFailure?, _ live: Live) {
    if let trace = work.invocation.trace { tellTrace(trace, work, failure) }
    bill(work, failure, live)
    guard live.kept != nil else { return }
    let report = work.told ?? report(work, failure, live)
    work.told = report
    live.whenCaughtUp {
      self.flushUnended(live)
      for line in self.endLines(work, report, live) { live.kept?.write(line) }
    }
  }

  /// Counts what an invocation that is over costs: what its REPORT says, also where nobody reads it.
  private func bill(_ work: Work, _ failure: FunctionFailure?, _ live: Live) {
    guard parts.metrics?.isOn != false else { return }
    if live.kept != nil { work.told = work.told ?? report(work, failure, live) }
    let billed =
      work.told?.billed
      ?? InvocationReport(
        duration: duration(of: work, failure), initialisation: live.initDuration ?? work.initDuration,
        isProvisioned: fate != nil, restored: live.restored, memorySize: configuration.memorySize, peak: nil,
        failure: failure
      ).billed
    let bill = BilledUse.Invocation(
      milliseconds: billed, isProvisioned: live.isProvisioned, streamed: work.response?.size ?? work.streamed)
    let world = parts.world
    pool.tally.withLock { $0.bill(bill) { world.now() } }
  }

  private func duration(of work: Work, _ failure: FunctionFailure?) -> Nanoseconds {
    if failure?.status == "timeout" { return Nanoseconds(count: UInt64(configuration.timeout) * 1_000_000_000) }
    // An invocation that ends before it began has taken no time.
    return Nanoseconds(count: work.started == 0 ? 0 : parts.world.monotonic() &- work.started)
  }

  /// What has no line end yet is an event all the same, once an invocation is over.
  func flushUnended(_ live: Live) {
    // Where invocations share the environment, the line may be another one's.
    guard live.kept != nil, live.concurrent == nil else { return }
    for source in [live.output] + (live.extensions?.outputs ?? []) {
      if let line = source.lines.flush() { take(line, source === live.output ? .function : .extension, live) }
    }
  }

  /// One text for each event.
  private func endLines(_ work: Work, _ report: InvocationReport, _ live: Live) -> [String] {
    let id = work.invocation.requestID
    if filtersRecords {
      let now = parts.world.now()
      let done = PlatformRecord.RuntimeDone(
        duration: report.duration, responseLatency: nil, responseDuration: Nanoseconds(count: 0), overhead: nil,
        producedBytes: nil)
      let lowest = PlatformRecord.Level(configuration.logging.systemLevel).rawValue
      let records: [PlatformRecord] = [
        .runtimeDone(work, done, report.failure, began: now, span: work.span),
        .report(work, report, extensionOverhead: nil, span: work.span),
      ]
      return records.filter { $0.level.rawValue >= lowest }.map { $0.line(at: now) }
    }
    var lines = [LogLines.end(id), LogLines.report(id, report)]
    if let trace = work.invocation.trace { lines[1] += LogLines.traced(trace) }
    let hasTimedOut = report.failure?.status == "timeout"
    if hasTimedOut {
      lines.insert(LogLines.timedOut(id, at: parts.world.now(), seconds: configuration.timeout), at: 0)
    }
    if let failure = report.failure, !hasTimedOut, !failure.isReportedByRuntime {
      lines.append(LogLines.crash(id, failure))
    }
    return lines
  }

  /// Where what is logged goes; nil = nowhere.
  func newLog() -> FunctionLog? {
    guard let sink = parts.logs else { return nil }
    let name = LogStreamName(place: configuration.place, group: configuration.logging.group, stream: logStream)
    let isJSON = filtersRecords
    let world = parts.world
    return FunctionLog(sink, name, eventLoop: eventLoop, world: world) { loss in
      isJSON ? PlatformRecord.logsDropped(loss, .telemetry).line(at: world.now()) : LogLines.dropped(loss)
    }
  }

  // MARK: - Subscriptions

  /// `PUT /telemetry` and `PUT /logs`.
  func subscribe(_ id: RequestID, _ subscription: TelemetrySubscription, _ exchange: HTTPExchange) {
    let live = live.value
    guard let member = live.extensions?.machine.member(id), let telemetry = live.telemetry else {
      return exchange.send(ExtensionsAPI.refused(.unknown, id: id))
    }
    guard telemetry.isOpen else { return exchange.send(TelemetryAPI.closed(subscription.api)) }
    if let other = telemetry.api(of: id), other != subscription.api {
      return exchange.send(TelemetryAPI.invalid("The extension has subscribed to the \(other.name) API already"))
    }
    let delivery = TelemetryDelivery(subscription, eventLoop: eventLoop, world: parts.world) { port in
      self.connect(port)
    }
    telemetry.subscribe(id, delivery)
    exchange.send(TelemetryAPI.subscribed)
    let types = subscription.categories.map(\.rawValue)
    tell(
      .subscription(subscription.api, name: member.name, types: types),
      text: LogLines.subscription(subscription.api, name: member.name, types: types),
      toLog: isLogged(live.machine.work, live), live)
  }

  /// Connects to a port inside of the environment.
  private func connect(_ port: Int) -> EventLoopFuture<CInt> {
    let live = live.value
    guard let sandbox = live.sandbox else {
      return eventLoop.makeFailedFuture(Fault("connect", "the environment has ended"))
    }
    live.lastTicket += 1
    let promise = eventLoop.makePromise(of: CInt.self)
    live.tickets[live.lastTicket] = promise
    parts.sandboxes.connect(port: port, ticket: live.lastTicket, in: sandbox)
    return promise.futureResult
  }

  package func sandboxConnected(_ ticket: UInt32, _ result: Result<CInt, Fault>) {
    onLoop { live in
      guard let promise = live.tickets.removeValue(forKey: ticket) else {
        if case .success(let descriptor) = result { Glibc.close(descriptor) }
        return
      }
      promise.completeWith(result.mapError { $0 as any Error })
    }
  }
}
