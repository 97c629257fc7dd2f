// One execution environment: a sandbox with a runtime in it, on one event loop. This is the shell around
// Environment+StateMachine.swift: it keeps the time, moves the bytes and carries out what the machine decides.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore
import NIOPosix

package final class Environment: Sendable {
  let configuration: FunctionConfiguration
  let parts: EnvironmentParts
  let eventLoop: any EventLoop
  private let pool: EnvironmentPool
  private let program: SandboxProgram
  private let specification: SandboxSpecification
  private let served: RuntimeCatalog.Served
  /// Everything that changes; touched on the event loop only.
  private let live: NIOLoopBoundBox<Live>

  /// Hears what becomes of an environment of provisioned concurrency; nil for one that is made on demand.
  private let fate: (@Sendable (Environment, Fate) -> Void)?

  /// What becomes of an environment of provisioned concurrency.
  enum Fate {
    case initialised
    case gone
  }

  /// The state of an environment.
  private final class Live {
    var machine = EnvironmentStateMachine<HTTPExchange, Work>()
    var sandbox: SandboxID?
    var resources: SandboxResources?
    var channels: [any Channel] = []
    let log: InvocationLog
    /// The writing end of the log's pipe, given to every runtime that is started.
    let logWriter: CInt
    /// Keeps the account's concurrency taken for as long as an invocation lasts.
    var permit: Permit?
    /// The runtime is to be started as soon as the sandbox is there.
    var startsWhenCreated = false
    /// Number of the runtime's process; ends of earlier ones are old news.
    var programNumber: UInt32 = 0
    var isFrozen = false
    var initStarted: UInt64 = 0
    /// How long INIT took, until a REPORT has said it.
    var initDuration: Nanoseconds?
    var workStarted: UInt64 = 0
    /// What the runtime said about its own failed initialisation.
    var initError: (type: String, payload: ByteBuffer)?
    /// When the current phase ends by force; nil = never.
    var deadline: UInt64?
    var freezeAt: UInt64?
    var timerAt: UInt64?
    /// Kept for provisioned concurrency.
    var isProvisioned = false

    init(log: InvocationLog, logWriter: CInt) {
      self.log = log
      self.logWriter = logWriter
    }

    deinit { close(logWriter) }
  }

  /// Nothing is started yet.
  /// - Throws: 502 if this host has no interpreter, 500 if it has no descriptors left.
  init(
    _ configuration: FunctionConfiguration, parts: EnvironmentParts, eventLoop: any EventLoop, pool: EnvironmentPool,
    fate: (@Sendable (Environment, Fate) -> Void)? = nil
  ) throws(AWSError) {
    self.configuration = configuration
    self.parts = parts
    self.eventLoop = eventLoop
    self.pool = pool
    self.fate = fate
    let identifier = RuntimeCatalog.identifier(configuration.runtime ?? "")
    served = identifier.map { parts.runtimes.serves($0) } ?? .missing("the identifier is unknown")
    if case .missing(let advice) = served {
      throw .runtimeMissing("The runtime \(configuration.runtime ?? "") is not available: \(advice).")
    }
    let setup = EnvironmentSetup(
      configuration, family: identifier?.family ?? .provided, served: served, parts: parts, isProvisioned: fate != nil)
    specification = setup.specification
    program = setup.program
    let pipe: Pipe
    do throws(Fault) { pipe = try Pipe() } catch { throw .service("log of an environment: \(error)") }
    let log = InvocationLog(descriptor: pipe.reader, limit: parts.limits.logTail)
    live = NIOLoopBoundBox.makeBoxSendingValue(Live(log: log, logWriter: pipe.writer), eventLoop: eventLoop)
  }

  // MARK: - From the line

  /// Makes the sandbox and starts the runtime.
  func start() {
    onLoop { live in
      live.isProvisioned = self.fate != nil
      live.log.attach(self.eventLoop)
      live.sandbox = self.parts.sandboxes.create(self.specification, observer: self)
      self.startRuntime(live, .initialisation)
    }
  }

  /// Runs one invocation. Returns when the function has answered; the permit is kept until the runtime is done.
  /// If the environment died before it could begin, the permit comes back.
  func run(_ invocation: Invocation, permit: consuming Permit) async -> Lease.Outcome {
    let carrier = PermitCarrier(permit)
    let reply = await withCheckedContinuation { (continuation: CheckedContinuation<Reply?, Never>) in
      let work = Work(
        invocation: invocation, continuation: continuation,
        traceHeader: TraceHeader.make(from: invocation.traceHeader, world: parts.world))
      onLoop { live in self.assign(work, carrier, live) }
    }
    if let reply { return .reply(reply) }
    guard let permit = carrier.take() else { preconditionFailure("a refused invocation keeps its permit") }
    return .lost(permit)
  }

  /// Ends the environment: kills what runs, removes the sandbox. Safe to call more than once.
  func remove() { onLoop { self.discard($0) } }

  /// Provisioned concurrency does not keep it any longer: it goes when it is free.
  func release() {
    onLoop { live in
      guard live.isProvisioned else { return }
      live.isProvisioned = false
      if self.pool.unkeep(self) || live.machine.isStarting { self.discard(live) }
    }
  }

  private func onLoop(_ body: @escaping @Sendable (Live) -> Void) {
    if eventLoop.inEventLoop { body(live.value) } else { eventLoop.execute { body(self.live.value) } }
  }

  private func assign(_ work: Work, _ carrier: PermitCarrier, _ live: Live) {
    live.freezeAt = nil
    let assignment = live.machine.assign(work)
    if case .refuse = assignment {
      work.continuation.resume(returning: nil)
      return
    }
    live.permit = carrier.take()
    switch assignment {
    case .deliver(let poll):
      begin(work, live)
      deliver(work, to: poll, live)
    case .wait: break
    case .waitForPoll: begin(work, live)
    case .start:
      begin(work, live)
      startRuntime(live, .invocation)
    case .refuse: break
    }
  }

  // MARK: - The invocation

  /// The invocation's time begins.
  private func begin(_ work: Work, _ live: Live) {
    live.workStarted = parts.world.monotonic()
    setDeadline(live.workStarted + UInt64(configuration.timeout) * 1_000_000_000, live)
    if live.isFrozen {
      live.isFrozen = false
      live.resources?.freeze(false)
    }
    live.log.begin()
    if work.invocation.wantsLog { live.log.write(LogLines.start(work.invocation.requestID, configuration.version)) }
  }

  private func deliver(_ work: Work, to poll: HTTPExchange, _ live: Live) {
    let left = live.deadline.map { Int64(bitPattern: $0 &- parts.world.monotonic()) } ?? 0
    let deadline = parts.world.hostNow().milliseconds + left / 1_000_000
    let head = RuntimeAPI.eventHead(work, configuration, deadline: deadline)
    poll.send(head: head, body: RuntimeAPI.event(work))
  }

  /// Tells the caller what the function said.
  private func succeed(_ work: Work, _ payload: ByteBuffer, functionError: String?, _ live: Live) {
    reply(to: work, payload, functionError: functionError, failure: nil, live)
  }

  /// Tells the caller that the platform had to end it.
  private func answer(_ work: Work, _ failure: FunctionFailure, _ live: Live, payload: ByteBuffer? = nil) {
    reply(
      to: work, payload ?? failure.payload(work.invocation.requestID), functionError: "Unhandled", failure: failure,
      live)
  }

  private func reply(
    to work: Work, _ payload: ByteBuffer, functionError: String?, failure: FunctionFailure?, _ live: Live
  ) {
    var reply = Reply(
      payload: payload, functionError: functionError, executedVersion: configuration.version,
      traceHeader: work.traceHeader)
    defer { live.initDuration = nil }
    guard work.invocation.wantsLog else {
      work.continuation.resume(returning: reply)
      return
    }
    let lines = lastLines(work, failure, live)
    live.log.whenCaughtUp {
      live.log.write(lines)
      reply.log = live.log.end
      work.continuation.resume(returning: reply)
    }
  }

  /// END, REPORT, and what goes with a failure.
  private func lastLines(_ work: Work, _ failure: FunctionFailure?, _ live: Live) -> String {
    let id = work.invocation.requestID
    let hasTimedOut = failure?.status == "timeout"
    // An invocation that ends before it began has taken no time.
    let elapsed = live.workStarted == 0 ? 0 : parts.world.monotonic() &- live.workStarted
    let duration = hasTimedOut ? UInt64(configuration.timeout) * 1_000_000_000 : elapsed
    var lines = hasTimedOut ? LogLines.timedOut(id, at: parts.world.now(), seconds: configuration.timeout) : ""
    lines += LogLines.end(id)
    lines += LogLines.report(
      id, duration: Nanoseconds(count: duration), initialisation: live.initDuration,
      memorySize: configuration.memorySize,
      peak: live.resources?.peakMemory(), failure: failure)
    if let failure, !hasTimedOut, !failure.isReportedByRuntime { lines += LogLines.crash(id, failure) }
    return lines
  }

  /// The runtime is back in `/next`, or has no runtime and is clean: the next invocation may come.
  private func becomeFree(_ live: Live) {
    live.permit = nil
    live.deadline = nil
    let now = parts.world.monotonic()
    if live.isProvisioned, !live.machine.isParked {
      // It has no runtime any more, and what is provisioned is initialised: another one takes its place.
      discard(live)
      return
    }
    if live.machine.isParked {
      live.freezeAt = now + parts.freezeDelay.nanoseconds
      wake(at: now + parts.freezeDelay.nanoseconds, live)
    }
    if !pool.give(self, now: now) { discard(live) }
  }

  // MARK: - The runtime's life

  private func startRuntime(_ live: Live, _ phase: EnvironmentStateMachine<HTTPExchange, Work>.Phase) {
    guard let sandbox = live.sandbox else { return }
    live.programNumber += 1
    live.initStarted = parts.world.monotonic()
    live.initError = nil
    if phase == .initialisation {
      setDeadline(live.initStarted + initLimit(live).nanoseconds, live)
    }
    var program = program
    if !parts.sandboxes.hasOwnRoot {
      // Without a network of its own the listener is on any free port, which is known when the sandbox is made.
      guard let resources = live.resources else {
        live.startsWhenCreated = true
        return
      }
      program.environment = EnvironmentSetup.environment(program.environment, listeners: resources.listenerPorts)
    }
    parts.sandboxes.start(program, number: live.programNumber, in: sandbox, output: live.logWriter)
  }

  /// How long INIT may take.
  private func initLimit(_ live: Live) -> Duration {
    guard live.isProvisioned else { return parts.limits.initDuration }
    return max(parts.limits.provisionedInitDuration, .seconds(configuration.timeout))
  }

  /// The runtime asked for an event.
  func next(_ poll: HTTPExchange) {
    let live = live.value
    switch live.machine.next(poll) {
    case .initialised(let phase, let work):
      live.resources?.limitCPU(specification.cpu)
      let duration = Nanoseconds(count: parts.world.monotonic() &- live.initStarted)
      if phase == .initialisation {
        live.initDuration = duration
        if let work {
          begin(work, live)
        } else {
          if live.isProvisioned { pool.keep(self) }
          becomeFree(live)
          if live.isProvisioned { fate?(self, .initialised) }
        }
      }
      if let work { deliver(work, to: poll, live) }
    case .finished: becomeFree(live)
    case .deliver(let work): deliver(work, to: poll, live)
    case .parked: break
    case .refuse(let from): poll.send(RuntimeAPI.wrongState(from: from, to: "Ready"))
    }
  }

  /// The runtime answered the invocation `id`.
  func answered(_ id: Substring, _ body: RuntimeAPI.Body, isError: Bool, _ exchange: HTTPExchange) {
    let live = live.value
    switch live.machine.answer({ $0.invocation.requestID == RequestID(id) }) {
    case .accept(let work):
      pool.expect(self)
      live.permit?.answerIsGiven()
      switch body {
      case .whole(let payload):
        succeed(work, payload, functionError: isError ? "Unhandled" : nil, live)
        exchange.send(raw: RuntimeAPI.accepted)
      case .tooLarge:
        let limit = parts.limits.invokeResponse.bytes
        let message = "Response payload size exceeded maximum allowed payload size (\(limit) bytes)."
        succeed(
          work, FunctionFailure.payload(type: FunctionFailure.responseTooLarge, message: message),
          functionError: "Unhandled", live)
        exchange.send(RuntimeAPI.tooLarge(limit: limit))
      case .unknownMode:
        let failure = FunctionFailure(
          type: "Runtime.InvalidResponseModeHeader", message: "The response mode of the runtime is not known")
        answer(work, failure, live)
        exchange.send(RuntimeAPI.unknownMode)
      }
    case .wrongIdentifier: exchange.send(RuntimeAPI.wrongIdentifier)
    case .wrongState(let from):
      exchange.send(RuntimeAPI.wrongState(from: from, to: isError ? "InvocationErrorResponse" : "InvocationResponse"))
    }
  }

  /// The runtime reports that it could not initialise. It is expected to exit.
  func initFailed(_ type: String, _ body: ByteBuffer, _ exchange: HTTPExchange) {
    let live = live.value
    if let from = live.machine.initError() {
      exchange.send(RuntimeAPI.wrongState(from: from, to: "InitError"))
      return
    }
    live.initError = (type, body)
    exchange.send(raw: RuntimeAPI.accepted)
  }

  func abandoned(_ poll: HTTPExchange) { live.value.machine.abandoned(poll) }

  /// The runtime broke off in the middle of its answer to the invocation `id`.
  func cutOff(_ id: Substring) {
    let live = live.value
    guard isCurrent(id), case .accept(let work) = live.machine.answer({ _ in true }) else { return }
    pool.expect(self)
    live.permit?.answerIsGiven()
    answer(
      work, FunctionFailure(type: "Runtime.TruncatedResponse", message: "The response of the runtime was cut off"), live
    )
  }

  /// True if `id` names the invocation that the runtime has in hands.
  func isCurrent(_ id: Substring) -> Bool {
    live.value.machine.isWorking { $0.invocation.requestID == RequestID(id) }
  }

  private func broke(_ failure: EnvironmentStateMachine<HTTPExchange, Work>.Failure, _ live: Live) {
    let described = describe(failure, live)
    let initDuration = Nanoseconds(count: parts.world.monotonic() &- live.initStarted)
    switch live.machine.broke(failure) {
    case .retry(let work):
      if work?.invocation.wantsLog == true {
        live.log.write(LogLines.initReport(initDuration, phase: "init", described))
      }
      reset(live)
    case .fail(let work, let during):
      if during != nil, work.invocation.wantsLog {
        live.log.write(LogLines.initReport(initDuration, phase: "invoke", described))
      }
      // Free before the answer, so that the caller's next invocation finds this environment and its /tmp.
      reset(live)
      becomeFree(live)
      answer(work, described, live, payload: described.status == "timeout" ? nil : live.initError?.payload)
    case .end:
      reset(live)
      becomeFree(live)
    case .discard: discard(live)
    case .ignore: break
    }
  }

  private func describe(
    _ failure: EnvironmentStateMachine<HTTPExchange, Work>.Failure, _ live: Live
  ) -> FunctionFailure {
    switch failure {
    case .exited where live.initError != nil:
      FunctionFailure(type: live.initError?.type ?? "Runtime.Unknown", message: "", isReportedByRuntime: true)
    case .exited(let reason): .exited(reason)
    case .timedOut: .timedOut(seconds: configuration.timeout)
    case .notStarted(let type, let message): FunctionFailure(type: type, message: message)
    }
  }

  private func reset(_ live: Live) {
    live.deadline = nil
    live.freezeAt = nil
    guard let sandbox = live.sandbox else { return }
    parts.sandboxes.reset(sandbox)
  }

  private func discard(_ live: Live) {
    pool.forget(self)
    if live.isProvisioned {
      live.isProvisioned = false
      fate?(self, .gone)
    }
    if let (work, answered) = live.machine.remove(), !answered {
      answer(work, FunctionFailure(type: "Sandbox.Failure", message: "The execution environment was removed"), live)
    }
    live.permit = nil
    live.deadline = nil
    live.freezeAt = nil
    for channel in live.channels { channel.close(promise: nil) }
    live.channels = []
    if let sandbox = live.sandbox {
      live.sandbox = nil
      parts.sandboxes.destroy(sandbox)
      live.log.close()
      live.resources = nil
    }
  }

  // MARK: - Time

  private func setDeadline(_ moment: UInt64, _ live: Live) {
    live.deadline = moment
    wake(at: moment, live)
  }

  /// One timer serves all: it is set only if none is set for an earlier moment, and looks again when it fires. A warm
  /// environment therefore sets one timer in many invocations.
  private func wake(at moment: UInt64, _ live: Live) {
    if let timerAt = live.timerAt, timerAt <= moment { return }
    live.timerAt = moment
    let delay = max(0, Int64(bitPattern: moment &- parts.world.monotonic()))
    // A timer of fifteen minutes must not keep an environment that is gone, and its descriptors.
    eventLoop.scheduleTask(in: .nanoseconds(delay)) { [weak self] in self?.timerFired(moment) }
  }

  private func timerFired(_ moment: UInt64) {
    let live = live.value
    guard live.timerAt == moment else { return }
    live.timerAt = nil
    let now = parts.world.monotonic()
    if let deadline = live.deadline, deadline <= now {
      live.deadline = nil
      broke(.timedOut, live)
    }
    if let freezeAt = live.freezeAt, freezeAt <= now {
      live.freezeAt = nil
      if live.machine.isParked, !live.isFrozen, let resources = live.resources, resources.canFreeze {
        live.isFrozen = true
        resources.freeze(true)
      }
    }
    if let earliest = [live.deadline, live.freezeAt].compactMap({ $0 }).min() { wake(at: earliest, live) }
  }
}

extension Environment: Hashable {
  package static func == (a: Environment, b: Environment) -> Bool { a === b }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

// MARK: - From the sandbox

extension Environment: SandboxObserver {
  package func sandboxCreated(_ resources: SandboxResources) {
    onLoop { live in
      guard live.sandbox != nil else {
        for listener in resources.listeners { close(listener) }
        return
      }
      live.resources = resources
      if live.startsWhenCreated {
        live.startsWhenCreated = false
        self.startRuntime(live, .initialisation)
      }
      self.adopt(resources.listeners)
    }
  }

  /// Serves the Runtime API, and the platform's own, on the sandbox's listeners.
  private func adopt(_ listeners: [CInt]) {
    let responders: [(any HTTPResponder)?] = [RuntimeAPI(self), parts.platform]
    for (listener, responder) in zip(listeners, responders) {
      guard let responder else {
        close(listener)
        continue
      }
      HTTPServer.adopt(
        descriptor: listener, eventLoop: eventLoop, responder: responder, limits: RuntimeAPI.connectionLimits
      ).whenSuccess { channel in
        self.onLoop { live in
          if live.sandbox == nil { channel.close(promise: nil) } else { live.channels.append(channel) }
        }
      }
    }
  }

  package func sandboxProgramStarted(_ program: UInt32) {}

  package func sandboxProgramEnded(_ program: UInt32, _ status: ExitStatus, outOfMemory: Bool) {
    onLoop { live in
      guard program == live.programNumber else { return }
      let reason: ExitReason =
        switch status {
        case .code(let code): .code(code)
        case .signal(let number): outOfMemory && number == SIGKILL ? .outOfMemory : .signal(number)
        }
      self.broke(.exited(reason), live)
    }
  }

  package func sandboxWasReset(newListeners: [CInt]) {
    onLoop { live in
      if !newListeners.isEmpty {
        for channel in live.channels { channel.close(promise: nil) }
        live.channels = []
        if live.sandbox == nil {
          for listener in newListeners { close(listener) }
        } else {
          self.adopt(newListeners)
        }
      }
      switch live.machine.wasReset() {
      case .start(let work):
        self.begin(work, live)
        self.startRuntime(live, .invocation)
      case .stopped, .ignore: break
      }
    }
  }

  package func sandboxDestroyed() {}

  private func entrypointMessage(_ fault: Fault) -> String {
    if case .bootstrap = served, fault.errno == ENOENT, !EnvironmentSetup.hasBootstrap(configuration, parts) {
      return "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    }
    return "\(fault.stage): \(systemErrorPhrase(fault.errno))"
  }

  package func sandboxFailed(_ fault: Fault, program: UInt32?) {
    onLoop { live in
      // A program that cannot be started is the function's fault, and what is cut off by the end no fault at all.
      self.parts.log.log(
        level: program == nil && live.sandbox != nil ? .error : .debug, "sandbox failed",
        metadata: ["function": "\(self.configuration.name)", "fault": "\(fault)"])
      if let program {
        guard program == live.programNumber else { return }
        self.broke(.notStarted(type: "Runtime.InvalidEntrypoint", message: self.entrypointMessage(fault)), live)
      } else {
        self.discard(live)
      }
    }
  }
}

/// Moves a permit, which cannot be copied, into a closure that runs once.
private final class PermitCarrier: @unchecked Sendable {
  private var permit: Permit?
  init(_ permit: consuming Permit?) { self.permit = permit }
  func take() -> Permit? { permit.take() }
}
