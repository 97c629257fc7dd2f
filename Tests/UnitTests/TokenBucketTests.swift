// A bucket of tokens against what it promises: never more than its burst and its rate, and no less.
import MartletCore
import Testing

@testable import MartletLambda

@Suite struct TokenBucketTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func aBurstAndThenTheRate() {
    var bucket = TokenBucket()
    let limit = RateLimit(1000, per: .seconds(10))
    var now: UInt64 = 5
    func count(_ tries: Int) -> Int { (0..<tries).count { _ in bucket.take(limit, now: now) } }
    #expect(count(1001) == 1000)
    // One comes back each hundredth of a second, and not all of them at the end of ten.
    now += TokenBucketTests.second / 100 - 1
    #expect(count(1) == 0)
    now += 1
    #expect(count(2) == 1)
    now += TokenBucketTests.second
    #expect(count(200) == 100)
    now += 60 * TokenBucketTests.second
    #expect(bucket.isFull(now))
    #expect(count(2000) == 1000)
  }

  @Test func whatIsGivenBackCanBeTakenAgain() {
    var bucket = TokenBucket()
    let limit = RateLimit(2, per: .seconds(1))
    for _ in 0..<2 { _ = bucket.take(limit, now: 5) }
    bucket.giveBack(limit)
    let first = bucket.take(limit, now: 5)
    let second = bucket.take(limit, now: 5)
    #expect(first && !second)
    for _ in 0..<5 { bucket.giveBack(limit) }
    #expect((0..<9).count { _ in bucket.take(limit, now: 5) } == 2, "no more than there ever were")
  }

  @Test func nothingComesOutOfNothing() {
    var bucket = TokenBucket()
    let taken = bucket.take(RateLimit(0, per: .seconds(1)), now: 7)
    #expect(!taken && bucket.isFull(7))
  }

  @Test func aLimitMayChange() {
    var bucket = TokenBucket()
    let (large, small) = (RateLimit(100, per: .seconds(1)), RateLimit(10, per: .seconds(1)))
    for _ in 0..<100 { _ = bucket.take(large, now: 0) }
    // What the large one owes is no more than all of the small one.
    let early = bucket.take(small, now: 0)
    let later = bucket.take(small, now: TokenBucketTests.second / 10 + TokenBucketTests.second)
    #expect(!early && later)
  }

  /// In every stretch of time there are no more than the burst and what came back; and who keeps to the rate is served.
  @Test(arguments: 0..<20) func keepsWhatItPromises(_ seed: Int) {
    var dice = SplitMix(seed: UInt64(seed))
    let limit = RateLimit(
      Int.random(in: 1...300, using: &dice), per: .milliseconds(Int.random(in: 1...20_000, using: &dice)))
    let period = UInt64(limit.burst) * limit.nanosecondsForOne
    var bucket = TokenBucket()
    var now = UInt64.random(in: 0...(10 * TokenBucketTests.second), using: &dice)
    var taken: [UInt64] = []
    var reference = Double(limit.burst)
    var last = now
    for _ in 0..<2000 {
      now += UInt64.random(in: 0...(3 * period / UInt64(limit.burst)), using: &dice)
      // The same the other way: a bucket that is filled as time passes.
      reference = min(Double(limit.burst), reference + Double(now - last) / Double(limit.nanosecondsForOne))
      last = now
      let isTaken = bucket.take(limit, now: now)
      if abs(reference - 1) > 1e-6 { #expect(isTaken == (reference > 1)) }
      if isTaken {
        reference -= 1
        taken.append(now)
      }
    }
    for (index, start) in taken.enumerated() {
      let later = min(index + limit.burst, taken.count - 1)
      guard later == index + limit.burst else { break }
      #expect(taken[later] - start >= limit.nanosecondsForOne, "more than the burst at once")
    }
  }
}
