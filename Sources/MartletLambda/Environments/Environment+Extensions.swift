// The extensions of an environment: they are started before the runtime, take part in its initialisation, are told of
// every invocation and of the end, and an invocation is over when they say so (reference/runtime-api.md 1.4).
import Glibc
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

extension Environment {
  // MARK: - Start

  /// Initialisation begins: the extensions, then the runtime.
  func initialise(_ live: Live, _ phase: EnvironmentStateMachine<HTTPExchange, Work>.Phase) {
    live.initStarted = parts.world.monotonic()
    live.initError = nil
    live.initPhase = phase
    if phase == .initialisation { setDeadline(live.initStarted + initLimit(live).nanoseconds, live) }
    // Without a network of its own the listener is on any free port, which is known when the sandbox is made.
    guard parts.sandboxes.hasOwnRoot || live.resources != nil else {
      live.startsWhenCreated = true
      return
    }
    if !extensionPrograms.isEmpty, live.telemetry == nil { live.telemetry = Telemetry() }
    tellInitStart(live)
    guard !extensionPrograms.isEmpty else { return startRuntime(live) }
    live.extensions = Extensions(machine: ExtensionsStateMachine(external: extensionPrograms.map(\.name)))
    for (name, program) in extensionPrograms {
      guard live.extensions != nil else { return }
      start(extension: name, program, live)
    }
  }

  private func start(extension name: String, _ program: SandboxProgram, _ live: Live) {
    guard let sandbox = live.sandbox else { return }
    let pipe: Pipe
    do throws(Fault) { pipe = try Pipe() } catch {
      return broke(.extensionFailed(type: "Extension.LaunchError", message: "\(error)"), live)
    }
    let output = LogSource(descriptor: pipe.reader)
    output.attach(eventLoop) { self.printed($1, $0, .extension) }
    live.lastProgram += 1
    live.extensions?.programs[live.lastProgram] = name
    live.extensions?.outputs.append(output)
    parts.sandboxes.start(placed(program, live), number: live.lastProgram, in: sandbox, output: pipe.writer)
    close(pipe.writer)
  }

  // MARK: - What they call

  func extensionRegisters(
    _ name: String, _ events: [ExtensionsAPI.Machine.Event], wantsAccount: Bool, _ exchange: HTTPExchange
  ) {
    let live = live.value
    let isInitialising = live.concurrent?.isInitialising ?? live.machine.isInitialising
    guard live.shutdown == nil, live.extensions != nil || isInitialising else {
      return exchange.send(ExtensionsAPI.refused(.closed))
    }
    if live.concurrent != nil, events.contains(.invoke) { return exchange.send(ExtensionsAPI.noInvocations) }
    if live.extensions == nil {
      live.extensions = Extensions(machine: ExtensionsStateMachine(external: []))
      live.telemetry = Telemetry()
      tellInitStart(live)
    }
    let id = RequestID(from: parts.world)
    switch live.extensions?.machine.register(name, events, id: id) {
    case .accepted(let startsRuntime):
      exchange.send(ExtensionsAPI.registered(configuration, id: id, wantsAccount: wantsAccount))
      if startsRuntime { startRuntime(live) }
    case .refused(let refusal): exchange.send(ExtensionsAPI.refused(refusal))
    case nil: break
    }
  }

  func extensionNext(_ id: RequestID, _ exchange: HTTPExchange) {
    let live = live.value
    switch live.extensions?.machine.next(id, exchange) {
    case .parked where live.concurrent != nil: settleConcurrently(live)
    case .parked: if let poll = live.extensions?.machine.settledPoll() { take(poll, live) }
    case .deliver(.invoke): sendInvoke(to: exchange, live)
    case .deliver(.shutdown): sendShutdown(to: exchange, live)
    case .refused(let refusal): exchange.send(ExtensionsAPI.refused(refusal, id: id))
    case nil: exchange.send(ExtensionsAPI.refused(.unknown, id: id))
    }
  }

  /// `/init/error` and `/exit/error`.
  func extensionFailed(_ id: RequestID, _ type: String, isInit: Bool, _ exchange: HTTPExchange) {
    let live = live.value
    switch isInit ? live.extensions?.machine.initError(id) : live.extensions?.machine.exitError(id) {
    case .accepted:
      exchange.send(raw: RuntimeAPI.accepted)
      let failure = isInit ? "Extension.InitError" : "Extension.ExitError"
      if live.shutdown == nil { broke(.extensionFailed(type: failure, message: type), live) }
    case .refused(let refusal): exchange.send(ExtensionsAPI.refused(refusal, id: id))
    case nil: exchange.send(ExtensionsAPI.refused(.unknown, id: id))
    }
  }

  // MARK: - What they are told

  /// The runtime is back in `/next`. True if all extensions are: else its poll is kept until they are.
  func isSettled(with poll: HTTPExchange, _ live: Live) -> Bool {
    let isInitialising = live.machine.isInitialising
    guard isInitialising || live.machine.isAnswered else { return true }
    if isInitialising {
      tellInitRuntimeDone(nil, live.machine.work, live)
    } else if let work = live.machine.work {
      tellRuntimeDone(work, nil, live)
    }
    return live.extensions?.machine.runtimeIsBack(poll, closesRegistration: isInitialising) ?? true
  }

  /// An invocation was given to the runtime; each extension gets it once.
  func tellExtensions(of work: Work, deadline: Int64, _ live: Live) {
    guard let extensions = live.extensions,
      extensions.current?.work.invocation.requestID != work.invocation.requestID
    else { return }
    live.extensions?.current = (work, deadline)
    for (_, poll) in live.extensions?.machine.invoke() ?? [] { sendInvoke(to: poll, live) }
  }

  private func sendInvoke(to poll: HTTPExchange, _ live: Live) {
    guard let (work, deadline) = live.extensions?.current else { return }
    poll.send(ExtensionsAPI.invoke(work, deadline: deadline, event: RequestID(from: parts.world)))
  }

  private func sendShutdown(to poll: HTTPExchange, _ live: Live) {
    guard let shutdown = live.shutdown else { return }
    let left = Int64(bitPattern: shutdown.deadline &- parts.world.monotonic()) / 1_000_000
    poll.send(ExtensionsAPI.shutdown(shutdown.reason, deadline: parts.world.hostNow().milliseconds + left))
  }

  // MARK: - What becomes of them

  /// The process of an extension ended.
  func extensionEnded(_ name: String, _ status: ExitStatus, _ live: Live) {
    live.extensions?.machine.ended(name)
    if live.shutdown != nil {
      perform(live.shutdown?.machine.extensionEnded(name) ?? [], live)
    } else {
      broke(.extensionFailed(type: "Extension.Crash", message: FunctionFailure.words(status)), live)
    }
  }

  func extensionNotStarted(_ name: String, _ fault: Fault, _ live: Live) {
    live.extensions?.machine.ended(name, launched: false)
    if live.shutdown != nil {
      perform(live.shutdown?.machine.extensionEnded(name) ?? [], live)
    } else {
      let message = "\(fault.stage): \(systemErrorPhrase(fault.errno))"
      broke(.extensionFailed(type: "Extension.LaunchError", message: message), live)
    }
  }

  // MARK: - The shutdown phase

  /// Everything in the sandbox is to end: at once if there are no extensions, else within the time that they have.
  func shutDown(_ live: Live, _ reason: ShutdownReason, _ purpose: Shutdown.Purpose) {
    if live.shutdown != nil {
      if purpose == .removal { live.shutdown?.purpose = .removal }
      return
    }
    guard let extensions = live.extensions else { return finish(purpose, live) }
    live.telemetry?.pause(false)
    live.telemetry?.flush()
    if live.isFrozen {
      live.isFrozen = false
      live.resources?.thaw()
    }
    let machine = ShutdownStateMachine(
      extensions.machine.takesPart, extensions: Set(extensions.programs.values),
      listeners: extensions.machine.shutdownListeners, now: parts.world.monotonic())
    live.shutdown = Shutdown(machine: machine, purpose: purpose, reason: reason)
    perform(live.shutdown?.machine.begin(runtimeIsAlive: live.runtimeIsAlive) ?? [], live)
  }

  func perform(_ actions: [ShutdownStateMachine.Action], _ live: Live) {
    for action in actions {
      switch action {
      case .terminateRuntime: signal(SIGTERM, live.programNumber, live)
      case .killRuntime: signal(SIGKILL, live.programNumber, live)
      case .kill(let name):
        if let number = live.extensions?.programs.first(where: { $0.value == name })?.key {
          signal(SIGKILL, number, live)
        }
      case .tellExtensions(let deadline):
        live.shutdown?.deadline = deadline
        for (_, poll) in live.extensions?.machine.shutDown() ?? [] { sendShutdown(to: poll, live) }
      case .wait(let moment):
        live.shutdown?.wakeAt = moment
        wake(at: moment, live)
      case .finish:
        guard let purpose = live.shutdown?.purpose else { continue }
        finish(purpose, live)
      }
    }
  }

  private func signal(_ number: CInt, _ program: UInt32, _ live: Live) {
    if let sandbox = live.sandbox { parts.sandboxes.signal(Int(number), program: program, in: sandbox) }
  }

  /// Kills what is left.
  func finish(_ purpose: Shutdown.Purpose, _ live: Live) {
    live.shutdown = nil
    live.runtimeIsAlive = false
    live.telemetry?.end()
    live.telemetry = purpose == .reset && !extensionPrograms.isEmpty ? Telemetry() : nil
    if let extensions = live.extensions {
      live.extensions = nil
      for output in extensions.outputs {
        output.drain()
        output.close()
      }
    }
    defer {
      if purpose == .removal {
        for continuation in live.closing { continuation.resume() }
        live.closing = []
      }
    }
    guard let sandbox = live.sandbox else {
      // It has none any more, or its turn has not come.
      if purpose == .removal { live.output.close() }
      return
    }
    switch purpose {
    case .reset:
      live.resources?.thaw()
      parts.sandboxes.reset(sandbox)
    case .removal:
      live.resources?.cancelFreezing()
      live.sandbox = nil
      for channel in live.channels { channel.close(promise: nil) }
      live.channels = []
      closeDaemon(live)
      parts.sandboxes.destroy(sandbox)
      live.output.drain()
      live.output.close()
      flushUnended(live)
      live.kept?.flush()
      live.resources = nil
      let tickets = live.tickets.values
      live.tickets = [:]
      for promise in tickets { promise.fail(Fault("connect", "the environment has ended")) }
    }
  }
}
