// The kernel's random numbers, fetched 32 at a time: an invocation needs five, and a system call for each would
// nearly double the number that it makes.
import Glibc
import Synchronization

enum RandomPool {
  private struct State {
    var words: [UInt64] = []
  }

  private static let state = Mutex(State())

  /// 64 bits that were never given to anybody else.
  static func next() -> UInt64 {
    state.withLock { state in
      if let word = state.words.popLast() { return word }
      state.words = [UInt64](unsafeUninitializedCapacity: 32) { buffer, count in
        // 256 bytes are the most that one call gives.
        precondition(getentropy(buffer.baseAddress, 256) == 0, "the kernel gives no random numbers")
        count = 32
      }
      return state.words.removeLast()
    }
  }
}
