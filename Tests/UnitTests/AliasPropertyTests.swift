// Weighted routing: each version of an alias gets the part of the invocations that its weight says.
import MartletCore
import MartletLambda
import Testing

@Suite struct AliasPropertyTests {
  private func alias(_ weight: Double?) throws -> Alias {
    Alias(
      name: "live", version: try #require(VersionName("1")), description: "",
      additional: try weight.map { (try #require(VersionName("2")), $0) }, revisionID: RequestID(from: RealWorld()))
  }

  private func share(of alias: Alias, _ draws: Int, seed: UInt64) -> Double {
    var random = SplitMix(seed: seed)
    let second = (0..<draws).filter { _ in alias.draw(random.next()).description == "2" }
    return Double(second.count) / Double(draws)
  }

  @Test(arguments: [0.001, 0.05, 0.2, 0.5, 0.75, 0.999], 1...4 as ClosedRange<UInt64>)
  func weightsAreKept(weight: Double, seed: UInt64) throws {
    let draws = 40_000
    // Five standard deviations of a binomial distribution; the seeds are fixed, so this holds always or never.
    let bound = 5 * (weight * (1 - weight) / Double(draws)).squareRoot()
    #expect(abs(share(of: try alias(weight), draws, seed: seed) - weight) < bound)
  }

  @Test func edgesAreCertain() throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      #expect(share(of: try alias(0), 10_000, seed: seed) == 0)
      #expect(share(of: try alias(1), 10_000, seed: seed) == 1)
      #expect(share(of: try alias(nil), 10_000, seed: seed) == 0)
    }
    for draw in [0, 1, UInt64.max / 2, .max - 1, .max] {
      #expect(try alias(0).draw(draw).description == "1")
      #expect(try alias(1).draw(draw).description == "2")
    }
    #expect(try alias(0.5).draw(0).description == "2")
    #expect(try alias(0.5).draw(.max).description == "1")
  }
}
