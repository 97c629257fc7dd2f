// What the sandbox of an environment tells it.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

extension Environment: SandboxObserver {
  package func sandboxCreated(_ resources: SandboxResources) {
    onLoop { live in
      guard live.sandbox != nil else {
        for listener in resources.listeners { close(listener) }
        return
      }
      live.resources = resources
      self.occupy(resources)
      self.competeLater(resources)
      if live.startsWhenCreated {
        live.startsWhenCreated = false
        self.initialise(live, .initialisation)
      }
      self.adopt(resources.listeners)
    }
  }

  /// Serves the Runtime API, and the platform's own, on the sandbox's listeners.
  func adopt(_ listeners: [CInt]) {
    let responders: [(any HTTPResponder)?] = [RuntimeAPI(self), parts.platform]
    var (listeners, links) = split(listeners)
    adopt(links: links)
    if let session = configuration.debugging, let listener = listeners.popLast() {
      keep(session.adopt(listener, of: configuration.incarnation, eventLoop: eventLoop))
    }
    for (listener, responder) in zip(listeners, responders) {
      guard let responder else {
        close(listener)
        continue
      }
      keep(
        HTTPServer.adopt(
          descriptor: listener, eventLoop: eventLoop, responder: responder,
          limits: RuntimeAPI.connectionLimits(concurrency)))
    }
  }

  func keep(_ adopted: EventLoopFuture<any Channel>) {
    adopted.whenSuccess { channel in
      self.onLoop { live in
        if live.sandbox == nil { channel.close(promise: nil) } else { live.channels.append(channel) }
      }
    }
  }

  /// A connection of a frozen environment has closed. Who is frozen does not hang up: a process was killed, by the
  /// host that wants memory, say. Who is to tell that is process 1 of the sandbox, and frozen, too.
  func somebodyDied(_ live: Live) {
    guard live.sandbox != nil, live.shutdown == nil else { return }
    live.isFrozen = false
    live.resources?.thaw()
    live.telemetry?.pause(false)
    live.freezeAt = freezes.add(self)
  }

  package func sandboxProgramStarted(_ program: UInt32) {}

  package func sandboxProgramEnded(_ program: UInt32, _ status: ExitStatus, outOfMemory: Bool) {
    onLoop { live in
      if let name = live.extensions?.programs.removeValue(forKey: program) {
        return self.extensionEnded(name, status, live)
      }
      if program == StemCell.programNumber, self.stemCellEnded(live) { return }
      guard program == live.programNumber, live.runtimeIsAlive else { return }
      live.runtimeIsAlive = false
      if live.shutdown != nil { return self.perform(live.shutdown?.machine.runtimeEnded() ?? [], live) }
      let reason: ExitReason =
        switch status {
        case .code(let code): .code(code)
        case .signal(let number): outOfMemory && number == SIGKILL ? .outOfMemory : .signal(number)
        }
      self.exited(reason, live)
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
      case .start(let work): self.restart(for: work, live)
      case .stopped, .ignore: break
      }
    }
  }

  package func sandboxDestroyed() {}

  private func entrypointMessage(_ fault: Fault) -> String {
    if case .bootstrap = served, configuration.image == nil, fault.errno == ENOENT,
      !EnvironmentSetup.hasBootstrap(configuration, parts)
    {
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
        if let name = live.extensions?.programs.removeValue(forKey: program) {
          return self.extensionNotStarted(name, fault, live)
        }
        guard program == live.programNumber, live.runtimeIsAlive else { return }
        live.runtimeIsAlive = false
        if live.shutdown != nil { return self.perform(live.shutdown?.machine.runtimeEnded() ?? [], live) }
        let type = fault.stage.hasPrefix("chdir ") ? "Runtime.InvalidWorkingDir" : "Runtime.InvalidEntrypoint"
        self.broke(.notStarted(type: type, message: self.entrypointMessage(fault)), live)
      } else {
        self.forkFailed(live)
        self.discard(live, nil)
      }
    }
  }
}

extension Environment {
  /// How long INIT may take.
  func initLimit(_ live: Live) -> Duration {
    if isForked, live.initPhase == .initialisation { return parts.limits.restoreDuration }
    guard live.isProvisioned || live.concurrent != nil || live.machine.restores else {
      return parts.limits.initDuration
    }
    return max(parts.limits.provisionedInitDuration, .seconds(configuration.timeout))
  }
}
