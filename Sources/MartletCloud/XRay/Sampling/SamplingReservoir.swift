// The decision of a sampling rule: so many requests in each second, and a share of the rest. A value: time and chance
// are given to it.
import MartletCore

package struct SamplingReservoir: Sendable {
  package struct Decision: Sendable, Equatable {
    package let isSampled: Bool
    /// It came from the reservoir.
    package let isBorrowed: Bool
  }

  private var second: Int64 = .min
  private var taken = 0

  package init() {}

  /// - Parameters:
  ///   - second: of the request, since 1970. Time that goes back begins a new second.
  ///   - chance: 64 random bits.
  package mutating func decide(second: Int64, size: Int, rate: Double, chance: UInt64) -> Decision {
    if second != self.second {
      self.second = second
      taken = 0
    }
    if taken < size {
      taken += 1
      return Decision(isSampled: true, isBorrowed: true)
    }
    // 53 bits are as many as a number between 0 and 1 has.
    return Decision(isSampled: Double(chance >> 11) / 0x1p53 < rate, isBorrowed: false)
  }
}
