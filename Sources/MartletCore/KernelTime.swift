// The kernel's `timespec` as a number. Its members are named nowhere, and no signature has it: which module owns it
// depends on the order in which a clean build makes its C modules, and where that is not Glibc the compiler refuses.
import Glibc

package enum KernelTime {
  /// What a clock shows, in nanoseconds since its beginning.
  package static func now(_ clock: clockid_t) -> Int64 {
    var words = (seconds: 0, nanoseconds: 0)
    withUnsafeMutablePointer(to: &words) { pointer in
      _ = pointer.withMemoryRebound(to: timespec.self, capacity: 1) { clock_gettime(clock, $0) }
    }
    return Int64(words.seconds) * 1_000_000_000 + Int64(words.nanoseconds)
  }

  /// - Parameter time: a `timespec`: two words on 64-bit Linux.
  package static func nanoseconds<Time>(_ time: Time) -> Int64 {
    withUnsafeBytes(of: time) {
      Int64($0.load(as: Int.self)) * 1_000_000_000 + Int64($0.load(fromByteOffset: 8, as: Int.self))
    }
  }

  /// Whole seconds of a `timespec`.
  package static func seconds<Time>(_ time: Time) -> Int { withUnsafeBytes(of: time) { $0.load(as: Int.self) } }
}
