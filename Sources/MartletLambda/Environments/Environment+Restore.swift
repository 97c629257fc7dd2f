// An environment of a version with SnapStart: its runtime says when it is initialised, and goes on when it is told to.
// Where there is no snapshot of that moment, every environment initialises anew and goes on at once.
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html, reference/runtime-api.md 1.2 and 1.6
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

extension FunctionConfiguration {
  /// Its environments start from a snapshot, or as if they did.
  package var isSnapStarted: Bool {
    version.number != nil && snapStartApplyOn == "PublishedVersions" && image == nil && environmentConcurrency == nil
  }

  /// Whether the snapshot is there.
  var optimizationStatus: String { isSnapStarted && state == .active ? "On" : "Off" }
}

extension Environment {
  // MARK: - What the runtime says

  /// `/restore/next`
  /// - Parameters:
  ///   - canBeForked: the process has said to the sandbox host that it waits for that.
  ///   - obstacle: why it can never be.
  func restoreNext(_ exchange: HTTPExchange, canBeForked: Bool = false, obstacle: String? = nil) {
    let live = live.value
    guard live.machine.restores else { return exchange.send(RuntimeAPI.unknown) }
    if isSnapshot, !live.trialIsOver {
      live.canBeForked = canBeForked
      if let obstacle { parts.snapshots?.failed(configuration, obstacle) }
    }
    if trial != nil, live.machine.isInitialising {
      guard live.extensions == nil || isSettled(with: exchange, live) else { return }
      return passed(live)
    }
    switch live.machine.restoreNext() {
    case .restore(let phase):
      let now = parts.world.monotonic()
      live.restoreBegan = now
      if phase == .initialisation { setDeadline(now + parts.limits.restoreDuration.nanoseconds, live) }
      exchange.send(HTTPReply(status: 200))
    case .refuse(let from): exchange.send(RuntimeAPI.wrongState(from: from, to: "RestoreReady"))
    }
  }

  /// `/restore/error`: a hook has failed. The runtime is expected to exit.
  func restoreFailed(_ type: String, _ body: ByteBuffer, _ exchange: HTTPExchange) {
    let live = live.value
    guard live.machine.restores else { return exchange.send(RuntimeAPI.unknown) }
    if let from = live.machine.restoreError() {
      return exchange.send(RuntimeAPI.wrongState(from: from, to: "RestoreError"))
    }
    live.initError = (type, body)
    exchange.send(raw: RuntimeAPI.accepted)
  }

  static let credentialsPath = "/2021-04-23/credentials"

  /// What the variables of other environments hold; asked for whenever it is used, so that no snapshot holds it.
  func sendCredentials(_ token: String?, _ exchange: HTTPExchange) {
    guard let containerToken, token == containerToken else { return exchange.send(RuntimeAPI.unknown) }
    let credentials =
      parts.credentials(configuration.role, configuration.name, configuration.place)
      ?? TemporaryCredentials(
        accessKeyID: configuration.place.account.id, secretAccessKey: "martlet", sessionToken: "martlet",
        expiration: parts.world.now() + .seconds(12 * 3600))
    var json = JSONWriter()
    json.object { MemberWriter.lend(&$0) { credentials.writeContainer(to: &$0) } }
    exchange.send(HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer))
  }

  // MARK: - What becomes of it

  /// Its runtime has asked for its first event.
  func noteRestore(_ live: Live) {
    live.restored = Nanoseconds(count: live.restoreBegan.map { parts.world.monotonic() &- $0 } ?? 0)
  }

  /// There is no sandbox in which a fork could go on: another environment is made for whoever waits, and not from this
  /// snapshot.
  func forkFailed(_ live: Live) {
    guard isForked, live.sandbox != nil, live.restoreBegan == nil, live.initPhase == .initialisation else { return }
    parts.snapshots?.distrust(configuration)
    live.machine.remove()?.work.resume(nil)
  }

  /// What an invocation is told that cannot run because the environment made for it could not be restored.
  func refuse(_ work: Work, _ failure: Machine.Failure, _ live: Live) {
    live.loss = .initFailed
    if isForked, live.restoreBegan == nil {
      // Nothing of the function has gone on: another environment is made, and not from this snapshot.
      parts.snapshots?.distrust(configuration)
      discard(live, .failure)
      return work.resume(nil)
    }
    work.permit = nil
    work.refusal = failure == .timedOut ? .snapStartTimedOut() : .snapStartFailed()
    discard(live, failure == .timedOut ? .timeout : .failure)
    work.resume(nil)
  }

  /// The version initialises: that was to be seen.
  func passed(_ live: Live) {
    let duration = Nanoseconds(count: parts.world.monotonic() &- live.initStarted)
    tellInitReport(duration, nil, nil, live)
    tellTrial(nil, live)
    live.turn = nil
    guard live.canBeForked, let sandbox = live.sandbox else { return discard(live) }
    live.deadline = nil
    // A fork is made with its share, and somebody waits for it.
    live.resources?.compete()
    live.resources?.limitCPU(max(500, specification.cpu))
    parts.snapshots?.came(configuration, sandbox) { self.remove() }
  }

  /// The version does not.
  func failed(_ failure: Machine.Failure, _ described: FunctionFailure, _ live: Live) {
    guard !live.trialIsOver else { return }
    let duration = Nanoseconds(count: parts.world.monotonic() &- live.initStarted)
    tellInitRuntimeDone(described, nil, live)
    tellInitReport(duration, described, nil, live)
    tellTrial(described, live)
  }

  /// It goes: whoever waits for its end is told, and the snapshot that it is is no more.
  func endTrial(_ live: Live) {
    guard trial != nil else { return }
    if isSnapshot {
      if live.canBeForked, live.trialIsOver, let sandbox = live.sandbox {
        parts.snapshots?.ended(sandbox)
      } else if !live.canBeForked {
        parts.snapshots?.failed(configuration, nil)
      }
    }
    tellTrial(FunctionFailure(type: "Sandbox.Failure", message: "The execution environment was removed"), live)
  }

  func tellTrial(_ failure: FunctionFailure?, _ live: Live) {
    guard let trial, !live.trialIsOver else { return }
    live.trialIsOver = true
    trial.told(failure)
  }
}

extension StateReason {
  /// Why a version has no snapshot. The codes are AWS's; its words are not known.
  init(_ failure: FunctionFailure) {
    let code =
      switch failure.type {
      case "Sandbox.Timedout": "FunctionError.InitTimeout"
      case "Runtime.InvalidEntrypoint": "FunctionError.InvalidEntryPoint"
      case "Runtime.InvalidWorkingDir": "FunctionError.InvalidWorkingDirectory"
      case "Sandbox.Failure": "InternalError"
      case let type where type.hasPrefix("Extension."): "FunctionError.ExtensionInitError"
      default: "FunctionError.RuntimeInitError"
      }
    self.init(text: "The function could not be initialized: \(failure.type)", code: code)
  }
}
