// All time and chance come from here, so that a test can run the node on simulated time with one seed.
import Glibc

/// The clock and the dice.
package protocol World: Sendable {
  /// Wall-clock time, which a test may have moved (MovableWorld.swift).
  func now() -> Timestamp
  /// The host's own time, which nobody moves: for what others compare with their clocks, such as signatures and the
  /// deadlines that functions are told.
  func hostNow() -> Timestamp
  /// Nanoseconds on a clock that never jumps; only differences mean anything.
  func monotonic() -> UInt64
  /// 64 random bits, fit for identifiers and keys.
  func random() -> UInt64
}

extension World {
  package func hostNow() -> Timestamp { now() }
}

/// The host's clocks and the kernel's random numbers.
package struct RealWorld: World {
  package init() {}

  package func now() -> Timestamp {
    Timestamp(nanoseconds: KernelTime.now(CLOCK_REALTIME))
  }

  package func monotonic() -> UInt64 {
    UInt64(KernelTime.now(CLOCK_MONOTONIC))
  }

  package func random() -> UInt64 { RandomPool.next() }
}
