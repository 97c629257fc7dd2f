// How fast a streamed response may go on when its first part is over: a bucket of bytes that fills up again.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-invoke-furls.html and reference/runtime-api.md 1.2
import MartletCore

struct StreamRate: Equatable {
  /// What goes out at once.
  static let burst = 6 << 20

  private let bytesPerSecond: Int
  private var left = StreamRate.burst
  private var filled: UInt64

  /// - Parameter now: nanoseconds of a clock that never jumps.
  init(bytesPerSecond: Int, now: UInt64) {
    self.bytesPerSecond = max(1, bytesPerSecond)
    filled = now
  }

  /// Bytes have come. Returns how long to wait before more are taken, in nanoseconds; 0 = not at all.
  mutating func take(_ bytes: Int, now: UInt64) -> UInt64 {
    let elapsed = min(now &- filled, 3_600_000_000_000)
    left = min(StreamRate.burst, left + Int(Double(elapsed) * Double(bytesPerSecond) / 1e9)) - bytes
    filled = now
    return left >= 0 ? 0 : UInt64(Double(-left) / Double(bytesPerSecond) * 1e9)
  }
}
