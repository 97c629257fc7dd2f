// One execution environment: a sandbox with a runtime in it, on one event loop. This is the shell around
// Environment+StateMachine.swift: it keeps the time, moves the bytes and carries out what the machine decides.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

package final class Environment: Sendable {
  typealias Machine = EnvironmentStateMachine<HTTPExchange, Work>

  let configuration: FunctionConfiguration
  let parts: EnvironmentParts
  let eventLoop: any EventLoop
  let freezes: FreezeQueue
  let pool: EnvironmentPool
  /// Why it is made.
  let origin: ColdStartReason
  let program: SandboxProgram
  let logStream: String
  /// What is in /opt/extensions, by name.
  let extensionPrograms: [(name: String, program: SandboxProgram)]
  let specification: SandboxSpecification
  let served: RuntimeCatalog.Served
  /// Whose runtime waits for it; nil: it starts its own.
  let stemCell: StemCell?
  /// How many invocations may share it; nil: each has it for itself.
  let concurrency: Int?
  /// What a chain of requests that begins here says of itself.
  private let lineage: String
  /// Its sandbox while it has one, for whoever asks what it uses.
  private let occupied = Mutex(Occupied())

  private struct Occupied {
    weak var resources: SandboxResources?
  }

  func occupy(_ resources: SandboxResources) { occupied.withLock { $0.resources = resources } }

  /// The most that its processes have used at one time; nil where that is not known.
  var memory: ByteCount? { occupied.withLock { $0.resources }?.peakMemory() }

  /// Everything that changes; touched on the event loop only.
  let live: NIOLoopBoundBox<Live>

  /// Hears what becomes of an environment of provisioned concurrency; nil for one that is made on demand.
  let fate: (@Sendable (Environment, Fate) -> Void)?

  /// It is made to see that a version initialises; nil for all others.
  let trial: Trial?
  /// Its process is to become the version's snapshot, and it lives as long as that.
  let isSnapshot: Bool
  /// Its runtime is forked from a snapshot.
  let isForked: Bool
  /// What programs in it show to get the credentials of its role; nil: these are in its variables.
  let containerToken: String?

  /// What becomes of an environment of provisioned concurrency.
  enum Fate {
    case initialised
    case gone
  }

  /// Nothing is started yet.
  /// - Throws: 502 if this host has no interpreter, 500 if it has no descriptors left.
  init(
    _ configuration: FunctionConfiguration, parts: EnvironmentParts, eventLoop: any EventLoop, pool: EnvironmentPool,
    origin: ColdStartReason, fate: (@Sendable (Environment, Fate) -> Void)? = nil,
    trial: Trial? = nil
  ) throws(AWSError) {
    self.configuration = configuration
    self.parts = parts
    self.eventLoop = eventLoop
    freezes = parts.freezes.queue(for: eventLoop)
    self.pool = pool
    self.origin = origin
    self.fate = fate
    self.trial = trial
    lineage = Lineage.first(configuration)
    concurrency = configuration.environmentConcurrency
    let source = try EnvironmentSource(configuration, parts, isProvisioned: fate != nil, trial: trial)
    served = source.served
    isSnapshot = source.isSnapshot
    isForked = source.isForked
    specification = source.setup.specification
    program = source.setup.program
    extensionPrograms = source.setup.extensions
    logStream = source.setup.logStream
    containerToken = source.setup.containerToken
    stemCell = source.stemCell
    let pipe: Pipe
    do throws(Fault) { pipe = if let stemCell { stemCell.output } else { try Pipe() } } catch {
      throw .service("log of an environment: \(error)")
    }
    let log = InvocationLog(limit: parts.limits.logTail)
    let output = LogSource(descriptor: pipe.reader)
    live = NIOLoopBoundBox.makeBoxSendingValue(
      Live(log: log, output: output, outputWriter: pipe.writer), eventLoop: eventLoop)
  }

  // MARK: - From the line

  /// Runs one invocation. Returns when the function has answered; the permit is kept until the runtime is done.
  /// If the environment died before it could begin, the permit comes back.
  func run(_ invocation: Invocation, permit: consuming Permit) async -> Lease.Outcome {
    let work = Work(
      invocation, traceHeader: TraceHeader.make(from: invocation.traceHeader, lineage: lineage, world: parts.world),
      permit: permit)
    if let reply = await work.reply({ work in onLoop { live in self.assign(work, live) } }) { return .reply(reply) }
    if let refusal = work.refusal { return .refused(refusal) }
    guard let permit = work.permit.take() else { preconditionFailure("a refused invocation keeps its permit") }
    return .lost(permit)
  }

  /// Ends the environment: kills what runs, removes the sandbox. Safe to call more than once.
  func remove() { onLoop { self.discard($0) } }

  /// Ends the environment; returns when its shutdown phase is over.
  func end() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      onLoop { live in
        live.closing.append(continuation)
        self.discard(live)
      }
    }
  }

  /// Provisioned concurrency does not keep it any longer: it goes when it is free.
  func release() {
    onLoop { live in
      guard live.isProvisioned else { return }
      live.isProvisioned = false
      live.loss = .released
      if self.pool.unkeep(self) || live.machine.isStarting { self.discard(live) }
    }
  }

  func onLoop(_ body: @escaping @Sendable (Live) -> Void) {
    if eventLoop.inEventLoop { body(live.value) } else { eventLoop.execute { body(self.live.value) } }
  }

  private func assign(_ work: Work, _ live: Live) {
    if live.concurrent != nil { return assignConcurrently(work, live) }
    live.freezeAt = nil
    switch live.machine.assign(work) {
    case .deliver(let poll):
      begin(work, live)
      deliver(work, to: poll, live)
    case .wait: break
    case .waitForPoll: begin(work, live)
    case .start: restart(for: work, live)
    case .refuse: work.resume(nil)
    }
  }

  // MARK: - The invocation

  /// The invocation's time begins.
  func begin(_ work: Work, _ live: Live) {
    work.started = parts.world.monotonic()
    if work.invocation.trace != nil { beginTrace(work, live) }
    if configuration.debugging == nil {
      let deadline = work.started + UInt64(configuration.timeout) * 1_000_000_000
      work.deadline = deadline
      if live.concurrent == nil { setDeadline(deadline, live) } else { wake(at: deadline, live) }
    }
    if live.isFrozen {
      live.isFrozen = false
      live.resources?.thaw()
      live.telemetry?.pause(false)
    }
    if live.concurrent == nil {
      live.output.settle()
      live.log.begin()
    }
    if work.invocation.wantsLog || live.isFollowed { tellStart(work, live) }
  }

  func deliver(_ work: Work, to poll: HTTPExchange, _ live: Live) {
    // Under a debugger nothing ends by force, and a day is left.
    let left = work.deadline.map { Int64(bitPattern: $0 &- parts.world.monotonic()) } ?? 86_400_000_000_000
    let deadline = parts.world.hostNow().milliseconds + left / 1_000_000
    let head = RuntimeAPI.eventHead(work, configuration, deadline: deadline)
    poll.send(head: head, body: RuntimeAPI.event(work))
    if live.extensions != nil, live.concurrent == nil { tellExtensions(of: work, deadline: deadline, live) }
  }

  /// Tells the caller what the function said.
  private func succeed(
    _ work: Work, _ payload: ByteBuffer, functionError: String?, contentType: String? = nil, _ live: Live
  ) {
    reply(to: work, payload, functionError: functionError, contentType: contentType, failure: nil, live)
  }

  /// Tells the caller that the platform had to end it.
  func answer(_ work: Work, _ failure: FunctionFailure, _ live: Live, payload: ByteBuffer? = nil) {
    reply(
      to: work, payload ?? failure.payload(work.invocation.requestID), functionError: "Unhandled", failure: failure,
      live)
  }

  private func reply(
    to work: Work, _ payload: ByteBuffer, functionError: String?, contentType: String? = nil,
    failure: FunctionFailure?, _ live: Live
  ) {
    if work.response == nil { count(work, hasFailed: functionError != nil, live) }
    if let response = work.response {
      return end(response, of: work, (failure?.type ?? "Unhandled", payload), failure, live)
    }
    var reply = Reply(
      payload: payload, functionError: functionError, executedVersion: configuration.version,
      traceHeader: work.traceHeader)
    reply.contentType = contentType
    guard work.invocation.wantsLog else {
      if !live.isFollowed { live.initDuration = nil }
      return work.resume(reply)
    }
    if failure == nil, live.extensions?.machine.followsInvocations == true {
      // Its REPORT is known when the extensions are done, and not before.
      work.heldReply = reply
    } else {
      send(reply, to: work, failure, live)
    }
  }

  /// Adds an invocation that is answered to the figures of its version.
  func count(_ work: Work, hasFailed: Bool, _ live: Live) {
    guard parts.metrics?.isOn != false else { return }
    let world = parts.world
    work.initDuration = live.initDuration
    let invocation = InvocationTally.Invocation(
      qualifier: work.invocation.function.qualifier,
      nanoseconds: work.started == 0 ? 0 : world.monotonic() &- work.started, hasFailed: hasFailed,
      isProvisioned: live.isProvisioned, isCold: live.initDuration != nil)
    pool.tally.withLock { $0.add(invocation) { world.now() } }
  }

  /// Sends an answer with the end of its log.
  private func send(_ reply: Reply, to work: Work, _ failure: FunctionFailure?, _ live: Live) {
    var reply = reply
    let report = work.told ?? report(work, failure, live)
    if !live.isFollowed { live.initDuration = nil }
    live.whenCaughtUp {
      self.writeEnd(work, report, live)
      reply.log = self.log(of: work, live).end
      live.logged[work.id] = nil
      work.resume(reply)
    }
  }

  /// An invocation that was answered is over.
  func ended(_ work: Work, _ failure: FunctionFailure?, _ live: Live) {
    tellEnd(work, failure, live)
    if let held = work.heldEnding {
      work.heldEnding = nil
      send(held.ending, to: held.stream, of: work, failure, live)
    }
    if let reply = work.heldReply {
      work.heldReply = nil
      send(reply, to: work, failure, live)
    }
    live.initDuration = nil
  }

  /// The runtime is back in `/next`, or has no runtime and is clean: the next invocation may come.
  func becomeFree(_ live: Live) {
    live.deadline = nil
    let now = parts.world.monotonic()
    if live.isProvisioned, !live.machine.isParked {
      // It has no runtime any more, and what is provisioned is initialised: another one takes its place.
      discard(live)
      return
    }
    // A debugger is talked with between invocations, too.
    if live.machine.isParked, configuration.debugging == nil {
      live.freezeAt = freezes.add(self)
    }
    if !pool.give(self, now: now) { discard(live) }
  }

  // MARK: - The runtime's life

  /// The runtime asked for an event.
  func next(_ poll: HTTPExchange) {
    let live = live.value
    if live.concurrent != nil { return nextConcurrently(poll, live) }
    if let response = live.machine.work?.response { endIfCut(response) }
    guard live.extensions == nil || isSettled(with: poll, live) else { return }
    take(poll, live)
  }

  /// Everybody is in `/next`, or an event is due.
  func take(_ poll: HTTPExchange, _ live: Live) {
    if trial != nil { return passed(live) }
    switch live.machine.next(poll) {
    case .initialised(let phase, let work):
      live.turn = nil
      settleCPU(live)
      let duration = Nanoseconds(count: parts.world.monotonic() &- live.initStarted)
      if live.extensions != nil || configuration.logging.format == .json || fate != nil || live.machine.restores {
        tellInitReport(duration, nil, work, live)
      }
      live.telemetry?.close()
      if live.telemetry?.isWanted == false { live.telemetry = nil }
      if phase == .initialisation {
        live.initDuration = duration
        if live.machine.restores { noteRestore(live) }
        pool.hasStarted(in: duration.count)
        if let work {
          begin(work, live)
        } else {
          if live.isProvisioned { pool.keep(self) }
          becomeFree(live)
          if live.isProvisioned { fate?(self, .initialised) }
        }
      }
      if let work { deliver(work, to: poll, live) }
    case .finished(let work):
      ended(work, nil, live)
      work.permit = nil
      becomeFree(live)
    case .deliver(let work): deliver(work, to: poll, live)
    case .parked: break
    case .refuse(let from): poll.send(RuntimeAPI.wrongState(from: from, to: "Ready"))
    }
  }

  /// The runtime answered the invocation `id`.
  /// - Parameters:
  ///   - errorType: what it says of an error, if it says so.
  ///   - cause: the same for X-Ray.
  func answered(
    _ id: Substring, _ body: RuntimeAPI.Body, isError: Bool, errorType: String? = nil,
    cause: String? = nil,
    delivery: String? = nil, _ exchange: HTTPExchange
  ) {
    let live = live.value
    switch answer(id, delivery, live) {
    case .accept(let work):
      if isError, work.invocation.trace != nil { noteError(work, body, cause) }
      switch body {
      case .whole(let payload, let contentType):
        noteAnswer(
          work, bytes: payload.readableBytes, errorType: isError ? errorType ?? "Function.Unknown" : nil, live)
        succeed(work, payload, functionError: isError ? "Unhandled" : nil, contentType: contentType, live)
        exchange.send(raw: RuntimeAPI.accepted)
      case .tooLarge:
        let limit = parts.limits.invokeResponse.bytes
        succeed(work, FunctionFailure.tooLarge(parts.limits.invokeResponse).document, functionError: "Unhandled", live)
        exchange.send(RuntimeAPI.tooLarge(limit: limit))
      case .unknownMode:
        let failure = FunctionFailure(
          type: "Runtime.InvalidResponseModeHeader", message: "The response mode of the runtime is not known")
        answer(work, failure, live)
        exchange.send(RuntimeAPI.unknownMode)
      }
      if live.concurrent != nil { endedConcurrently(work, live) }
    case .wrongIdentifier where isLate(id, live): exchange.send(raw: RuntimeAPI.accepted)
    case .wrongIdentifier: exchange.send(RuntimeAPI.wrongIdentifier)
    case .wrongState(let from):
      exchange.send(RuntimeAPI.wrongState(from: from, to: isError ? "InvocationErrorResponse" : "InvocationResponse"))
    }
  }

  /// The runtime reports that it could not initialise. It is expected to exit.
  func initFailed(_ type: String, _ body: ByteBuffer, _ exchange: HTTPExchange) {
    let live = live.value
    if let from = live.concurrent == nil ? live.machine.initError() : live.concurrent?.initError() {
      exchange.send(RuntimeAPI.wrongState(from: from, to: "InitError"))
      return
    }
    live.initError = (type, body)
    exchange.send(raw: RuntimeAPI.accepted)
  }

  func abandoned(_ poll: HTTPExchange) {
    let live = live.value
    stemCellIsGone(poll, live)
    live.concurrent?.abandoned(poll)
    if live.extensions?.machine.abandoned(poll) != true { live.machine.abandoned(poll) }
    if live.isFrozen { somebodyDied(live) }
  }

  /// The runtime broke off in the middle of its answer to the invocation `id`.
  func cutOff(_ id: Substring) {
    let live = live.value
    guard isCurrent(id), case .accept(let work) = answer(id, nil, live) else { return }
    answer(
      work, FunctionFailure(type: FunctionFailure.truncated, message: FunctionFailure.truncatedMessage), live)
    if live.concurrent != nil { endedConcurrently(work, live) }
  }

  /// True if `id` names the invocation that the runtime has in hands.
  func isCurrent(_ id: Substring) -> Bool {
    if let concurrent = live.value.concurrent { return RequestID(id).map { concurrent.isRunning($0) } ?? false }
    return live.value.machine.isWorking { $0.invocation.requestID == RequestID(id) }
  }

  /// The invocation that a `/response` or an `/error` is the answer to.
  private func answer(_ id: Substring, _ delivery: String?, _ live: Live) -> Machine.Answer {
    if live.concurrent != nil { return answerConcurrently(id, delivery, live) }
    let answer = live.machine.answer { $0.invocation.requestID == RequestID(id) }
    if case .accept(let work) = answer {
      pool.expect(self)
      work.permit?.answerIsGiven()
    }
    return answer
  }

  func broke(_ failure: Machine.Failure, _ live: Live) {
    live.turn = nil
    if live.concurrent != nil { return brokeConcurrently(failure, live) }
    let described = describe(failure, live)
    let initDuration = Nanoseconds(count: parts.world.monotonic() &- live.initStarted)
    let wasStarting = live.machine.isStarting
    if trial != nil { failed(failure, described, live) }
    switch live.machine.broke(failure) {
    case .refuse(let work):
      tellInitRuntimeDone(described, work, live)
      tellInitReport(initDuration, described, work, live)
      refuse(work, failure, live)
    case .retry(let work):
      tellInitRuntimeDone(described, work, live)
      tellInitReport(initDuration, described, work, live)
      live.loss = .initFailed
      reset(live, failure)
    case .fail(let work, let during):
      if during != nil {
        tellInitRuntimeDone(described, work, live)
        tellInitReport(initDuration, described, work, live)
      } else {
        tellRuntimeDone(work, described, live)
      }
      tellEnd(work, described, live)
      live.loss = ColdStartReason(failure, isInitialising: during != nil)
      // Free before the answer, so that the caller's next invocation finds this environment and its /tmp.
      reset(live, failure)
      work.permit = nil
      becomeFree(live)
      answer(work, described, live, payload: described.status == "timeout" ? nil : live.initError?.payload)
      live.initDuration = nil
    case .end(let work):
      ended(work, described, live)
      live.loss = ColdStartReason(failure, isInitialising: false)
      reset(live, failure)
      work.permit = nil
      becomeFree(live)
    case .discard:
      live.loss = ColdStartReason(failure, isInitialising: wasStarting)
      discard(live, .failure)
    case .ignore: break
    }
  }

  func describe(_ failure: Machine.Failure, _ live: Live) -> FunctionFailure {
    switch failure {
    case .exited where live.initError != nil:
      FunctionFailure(type: live.initError?.type ?? "Runtime.Unknown", message: "", isReportedByRuntime: true)
    case .exited(let reason): .exited(reason)
    case .timedOut: .timedOut(seconds: configuration.timeout)
    case .notStarted(let type, let message), .extensionFailed(let type, let message):
      FunctionFailure(type: type, message: message)
    }
  }

  private func reset(_ live: Live, _ failure: Machine.Failure) {
    live.deadline = nil
    live.freezeAt = nil
    shutDown(live, failure == .timedOut ? .timeout : .failure, .reset)
  }

  /// - Parameter reason: what its extensions are told; nil if the sandbox is lost already.
  func discard(_ live: Live, _ reason: ShutdownReason? = .spindown) {
    live.turn = nil
    // One that is only done with has been lost before, if at all.
    pool.forget(self, live.loss ?? (reason == nil ? .exited : nil))
    if live.isProvisioned {
      live.isProvisioned = false
      fate?(self, .gone)
    }
    endTrial(live)
    if let (work, answered) = live.machine.remove() {
      let failure = FunctionFailure(type: "Sandbox.Failure", message: "The execution environment was removed")
      if answered {
        ended(work, failure, live)
      } else {
        keepEnd(work, failure, live)
        answer(work, failure, live)
      }
      work.permit = nil
    }
    if live.concurrent != nil { removeAll(live) }
    live.deadline = nil
    live.freezeAt = nil
    if let reason { shutDown(live, reason, .removal) } else { finish(.removal, live) }
  }

  // MARK: - Time

  func setDeadline(_ moment: UInt64, _ live: Live) {
    guard configuration.debugging == nil else { return }
    live.deadline = moment
    wake(at: moment, live)
  }

  /// One timer serves all: it is set only if none is set for an earlier moment, and looks again when it fires. A warm
  /// environment therefore sets one timer in many invocations.
  func wake(at moment: UInt64, _ live: Live) {
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
    if live.concurrent != nil { timePassed(now, live) }
    if let shutdownAt = live.shutdown?.wakeAt, shutdownAt <= now {
      live.shutdown?.wakeAt = nil
      perform(live.shutdown?.machine.timePassed() ?? [], live)
    }
    let moments = [live.deadline, live.shutdown?.wakeAt, live.concurrent?.earliest { $0.deadline }]
    if let earliest = moments.compactMap({ $0 }).min() {
      wake(at: earliest, live)
    }
  }
}

extension Environment: Hashable {
  package static func == (a: Environment, b: Environment) -> Bool { a === b }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
