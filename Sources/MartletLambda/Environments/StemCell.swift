// One stem cell: a sandbox in which a runtime is up and waits to hear whose it is, or one in which nothing is, for a
// function that brings its runtime (docs/fast-start.md).
import Glibc
import MartletCore
import MartletSandbox
import Synchronization

/// Hears of its sandbox, until an environment takes it over and hears of it instead.
final class StemCell: Sendable {
  private struct State {
    var sandbox: SandboxID?
    var resources: SandboxResources?
    var heir: (any SandboxObserver)?
    /// Somebody has it, who will pass it to an heir: what happens until then is kept.
    var isTaken = false
    var news: [@Sendable (any SandboxObserver) -> Void] = []
    var hasEnded = false
  }

  /// The number of its runtime's process.
  static let programNumber: UInt32 = 1

  /// What its runtime prints.
  let output: Pipe
  /// There is no runtime in it.
  let isEmpty: Bool
  /// The function's code is in its sandbox already.
  let hasCode: Bool
  private let state = Mutex(State())
  /// The runtime runs, or will never.
  private let told: @Sendable (StemCell, _ fault: Fault?) -> Void

  init(
    isEmpty: Bool = false, hasCode: Bool = false, told: @escaping @Sendable (StemCell, _ fault: Fault?) -> Void
  ) throws(Fault) {
    output = try Pipe()
    self.isEmpty = isEmpty
    self.hasCode = hasCode
    self.told = told
  }

  /// Not before: `start` may be about to hand the output over.
  deinit {
    guard !state.withLock({ $0.isTaken }) else { return }
    close(output.reader)
    close(output.writer)
  }

  /// - Parameter program: nil if it is empty.
  func start(_ specification: SandboxSpecification, _ program: SandboxProgram?, in sandboxes: any SandboxHost) {
    let sandbox = sandboxes.create(specification, observer: self)
    let (isThere, hasEnded) = state.withLock { state in
      state.sandbox = sandbox
      return (state.resources != nil && !state.hasEnded, state.hasEnded)
    }
    // It has failed before it had a number.
    if hasEnded { return sandboxes.destroy(sandbox) }
    if let program {
      sandboxes.start(program, number: StemCell.programNumber, in: sandbox, output: output.writer)
    } else if isThere {
      told(self, nil)
    }
  }

  /// Nobody has taken it, and nobody will.
  func end(in sandboxes: any SandboxHost) {
    let (sandbox, resources) = state.withLock { state in
      state.hasEnded = true
      defer { state.resources = nil }
      return (state.sandbox, state.resources)
    }
    for listener in resources?.listeners ?? [] { close(listener) }
    if let sandbox { sandboxes.destroy(sandbox) }
  }

  /// From now on sandbox and output are the caller's, who passes the cell on. False if it has ended.
  func take() -> Bool {
    state.withLock { state in
      guard !state.hasEnded, state.resources != nil else { return false }
      state.isTaken = true
      return true
    }
  }

  /// A sandbox that has changed hands, and what has happened in it since it was taken: whoever has it now is to hear
  /// that when it is ready to.
  struct Inheritance {
    let sandbox: SandboxID
    let resources: SandboxResources
    let news: [@Sendable (any SandboxObserver) -> Void]
  }

  /// From now on `heir` hears of the sandbox. Only after `take`, and once.
  func pass(to heir: any SandboxObserver) -> Inheritance? {
    state.withLock { state in
      state.heir = heir
      defer {
        state.resources = nil
        state.news = []
      }
      guard let sandbox = state.sandbox, let resources = state.resources else { return nil }
      return Inheritance(sandbox: sandbox, resources: resources, news: state.news)
    }
  }

  /// What happens in the sandbox. `fault`: then there is nothing to be taken any more.
  private func hear(_ fault: Fault? = nil, _ body: @escaping @Sendable (any SandboxObserver) -> Void) {
    let (heir, isEnd) = state.withLock { state -> ((any SandboxObserver)?, Bool) in
      if let heir = state.heir { return (heir, false) }
      if state.isTaken {
        state.news.append(body)
        return (nil, false)
      }
      guard fault != nil, !state.hasEnded else { return (nil, false) }
      state.hasEnded = true
      return (nil, true)
    }
    if let heir { body(heir) }
    if isEnd { told(self, fault) }
  }
}

extension StemCell: Hashable {
  static func == (a: StemCell, b: StemCell) -> Bool { a === b }
  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension StemCell: SandboxObserver {
  func sandboxCreated(_ resources: SandboxResources) {
    let (isWanted, isThere) = state.withLock { state in
      if !state.hasEnded { state.resources = resources }
      return (!state.hasEnded, !state.hasEnded && state.sandbox != nil)
    }
    if !isWanted { for listener in resources.listeners { close(listener) } }
    if isEmpty, isThere { told(self, nil) }
  }

  func sandboxProgramStarted(_ program: UInt32) {
    let isUp = state.withLock { !$0.isTaken && !$0.hasEnded && $0.resources != nil }
    if isUp { told(self, nil) }
    hear { $0.sandboxProgramStarted(program) }
  }

  func sandboxProgramEnded(_ program: UInt32, _ status: ExitStatus, outOfMemory: Bool) {
    hear(Fault("stem cell", "its runtime ended: \(status)")) {
      $0.sandboxProgramEnded(program, status, outOfMemory: outOfMemory)
    }
  }

  func sandboxWasReset(newListeners: [CInt]) { hear { $0.sandboxWasReset(newListeners: newListeners) } }

  func sandboxDestroyed() {
    hear { $0.sandboxDestroyed() }
    // Nothing else happens. An environment has its cell, and each would keep the other, and its descriptors.
    let heir = state.withLock { state in
      defer { state.heir = nil }
      return state.heir
    }
    withExtendedLifetime(heir) {}
  }

  func sandboxConnected(_ ticket: UInt32, _ result: Result<CInt, Fault>) {
    hear { $0.sandboxConnected(ticket, result) }
  }

  func sandboxFailed(_ fault: Fault, program: UInt32?) { hear(fault) { $0.sandboxFailed(fault, program: program) } }

  func sandboxGrafted(_ fault: Fault?) { hear { $0.sandboxGrafted(fault) } }
}
