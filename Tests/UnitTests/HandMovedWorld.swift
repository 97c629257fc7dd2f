// A world whose clocks move when a test says so.
import MartletCore
import Synchronization

final class HandMovedWorld: World {
  private let nanoseconds = Mutex<UInt64>(1_800_000_000_000_000_000)

  func pass(_ duration: Duration) {
    nanoseconds.withLock {
      $0 +=
        UInt64(duration.components.seconds) * 1_000_000_000 + UInt64(duration.components.attoseconds / 1_000_000_000)
    }
  }

  func now() -> Timestamp { Timestamp(nanoseconds: Int64(monotonic())) }
  func monotonic() -> UInt64 { nanoseconds.withLock { $0 } }
  func random() -> UInt64 { 4 }
}
