// The rate of streamed responses: six mebibytes at once, then so many bytes a second, however they are cut.
import Testing

@testable import MartletLambda

@Suite struct StreamRateTests {
  private let mebibyte = 1 << 20

  @Test func theFirstPartIsFree() {
    var rate = StreamRate(bytesPerSecond: 2 * mebibyte, now: 5)
    let waits = (0..<6).map { _ in rate.take(mebibyte, now: 5) }
    let next = rate.take(mebibyte, now: 5)
    #expect(waits == [0, 0, 0, 0, 0, 0] && next == 500_000_000)
  }

  @Test func whatIsNotUsedIsThereLaterAndNeverMoreThanTheBurst() {
    var rate = StreamRate(bytesPerSecond: 2 * mebibyte, now: 0)
    _ = rate.take(6 * mebibyte, now: 0)
    let (soon, late) = (rate.take(2 * mebibyte, now: 1_000_000_000), rate.take(6 * mebibyte, now: 100_000_000_000))
    let more = rate.take(2 * mebibyte, now: 100_000_000_000)
    #expect(soon == 0 && late == 0 && more == 1_000_000_000)
  }

  /// 20 MiB take the seven seconds that are due after the first six of them, whatever the parts.
  @Test(arguments: [1000, 65_536, 300_000, 1 << 20]) func theWholeTakesItsTime(part: Int) {
    var rate = StreamRate(bytesPerSecond: 2 * mebibyte, now: 0)
    var (now, sent): (UInt64, Int) = (0, 0)
    while sent < 20 * mebibyte {
      now += rate.take(min(part, 20 * mebibyte - sent), now: now)
      sent += part
    }
    #expect(abs(Double(now) / 1e9 - 7) < 0.01)
  }
}
