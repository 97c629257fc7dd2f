// Random numbers that a seed brings back.

struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// `bytes` with a few of them changed, removed or doubled.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var out = bytes
    for _ in 0...(next() % 4) where !out.isEmpty {
      let index = Int(next() % UInt64(out.count))
      switch next() % 4 {
      case 0: out[index] = UInt8(truncatingIfNeeded: next())
      case 1: out.remove(at: index)
      case 2: out.insert(UInt8(truncatingIfNeeded: next()), at: index)
      default: out.removeSubrange(index..<min(out.count, index + Int(next() % 16)))
      }
    }
    return out
  }
}
