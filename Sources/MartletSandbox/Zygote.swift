// Programs that are up before anybody asks, and are forked into sandboxes instead of started there.
import MartletCore

/// What a zygote is made of.
package struct ZygoteSpecification: Sendable {
  /// Its read-only root: the interpreter, and nothing of anybody's who will use it.
  package var mounts: [SandboxSpecification.Mount]
  /// Speaks with the sandbox process over descriptor 3 (`Runtimes/python/zygote.py`).
  package var program: SandboxProgram

  package init(mounts: [SandboxSpecification.Mount], program: SandboxProgram) {
    self.mounts = mounts
    self.program = program
  }
}

/// Hears what becomes of a zygote. Calls come one after another, on a thread of the sandbox host.
package protocol ZygoteObserver: AnyObject, Sendable {
  func zygoteIsUp(_ zygote: SandboxID)
  /// It has ended; nil if that was asked for, or if it just died.
  func zygoteEnded(_ zygote: SandboxID, _ fault: Fault?)
}

extension SandboxHost {
  /// A host that makes nothing ahead.
  package func startZygote(_ specification: ZygoteSpecification, observer: any ZygoteObserver) -> SandboxID {
    SandboxID(number: 0)
  }
  package func setLevel(_ level: Int, of zygote: SandboxID) {}
  package func graft(_ specification: SandboxSpecification, onto sandbox: SandboxID) {}
  package func figures() async -> [(name: String, value: Int)] { [] }
}
