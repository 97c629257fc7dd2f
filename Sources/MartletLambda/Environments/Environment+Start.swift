// How an environment comes to its runtime: when it is its turn, a sandbox is made and the runtime started in it.
import MartletCore
import MartletSandbox
import NIOCore

extension Environment {
  /// Makes the sandbox and starts the runtime.
  /// - Parameter turn: nil: it waits for one itself.
  func start(_ turn: InitialisationTurn? = nil) {
    if trial == nil { parts.metrics?.note(coldStart: origin, of: configuration) }
    onLoop { live in
      live.machine.restores = self.configuration.isSnapStarted
      live.turn = turn
      live.isProvisioned = self.fate != nil
      live.concurrent = self.concurrency.map { ConcurrentStateMachine(limit: $0) }
      live.kept = self.newLog()
      live.output.attach(self.eventLoop) { self.printed($1, $0, .function) }
      if let cell = self.stemCell { self.takeOver(cell, live) }
      if self.isForked, self.stemCell != nil {
        // It has initialised, and goes on as soon as it is answered.
        live.turn = nil
        if live.machine.isInitialising { self.initialise(live, .initialisation) }
        return
      }
      self.atTurn(live) { live in
        guard live.concurrent?.isInitialising ?? live.machine.isInitialising else { return false }
        if self.stemCell == nil { self.makeSandbox(live) }
        self.initialise(live, .initialisation)
        return true
      }
    }
  }

  private func makeSandbox(_ live: Live) {
    var specification = self.specification
    specification.zygote = specification.zygote ?? parts.fastStart?.zygote(for: program, configuration, served)
    live.zygote = specification.zygote
    live.sandbox = parts.sandboxes.create(specification, observer: self)
  }

  /// Calls `body` when the environment may initialise, which is at once unless too many do.
  /// - Parameter body: says false if there is nothing to initialise any more.
  func atTurn(_ live: Live, _ body: @escaping @Sendable (Live) -> Bool) {
    if live.turn == nil { live.turn = parts.gate?.enter() }
    guard let gate = parts.gate, live.turn == nil else {
      if !body(live) { live.turn = nil }
      return
    }
    gate.wait(FunctionKey(place: configuration.place, name: configuration.name)) { turn in
      self.onLoop { live in
        live.turn = turn
        if !body(live) { live.turn = nil }
      }
    }
  }

  /// Who initialises gives way to environments that serve (docs/scaling.md), but not for long: on a host whose
  /// processors are never idle it would never end.
  func competeLater(_ resources: SandboxResources) {
    guard specification.yields else { return }
    eventLoop.scheduleTask(in: Environment.yielding) { [weak resources] in resources?.compete() }
  }

  private static let yielding = TimeAmount.milliseconds(100)

  /// It is initialised: from now on it has what it is configured to have.
  func settleCPU(_ live: Live) {
    live.resources?.compete()
    if configuration.debugging == nil { live.resources?.limitCPU(specification.cpu) }
  }

  /// Starts another runtime, in the time of the invocation that waits for it.
  func restart(for work: Work, _ live: Live) {
    noteRestart(work, live)
    atTurn(live) { live in
      guard live.machine.isInitialising, live.machine.work === work else { return false }
      self.begin(work, live)
      self.initialise(live, .invocation)
      return true
    }
  }

  func startRuntime(_ live: Live) {
    guard let sandbox = live.sandbox, !wakeStemCell(live) else { return }
    live.lastProgram += 1
    live.programNumber = live.lastProgram
    live.runtimeIsAlive = true
    var program = placed(program, live)
    program.zygote = live.zygote ?? parts.fastStart?.zygote(for: self.program, configuration, served)
    live.zygote = nil
    parts.sandboxes.start(program, number: live.programNumber, in: sandbox, output: live.outputWriter)
  }

  /// The program with the addresses that hold for it.
  func placed(_ program: SandboxProgram, _ live: Live) -> SandboxProgram {
    guard !parts.sandboxes.hasOwnRoot, let resources = live.resources else { return program }
    var program = program
    let (ports, links) = split(resources.listenerPorts)
    program.environment = EnvironmentSetup.environment(
      program.environment, listeners: ports, links: links)
    return program
  }
}
