// Admission to the host's memory: what is missing, who goes first, and that the memory is never more than used up.
import MartletCore
import Testing

@testable import MartletLambda

@Suite struct HostMemoryTests {
  private static let (mebibyte, gibibyte) = (1 << 20, 1 << 30)
  private typealias Idle = MemoryAdmission.Idle

  @Test func whatIsStartedCountsBeforeItHasGrown() {
    var admission = MemoryAdmission(reserve: 100)
    func missing(_ bytes: Int, _ available: Int, now: UInt64 = 1, isGreedy: Bool = false, stalled: Double = 0) -> Int {
      let figures = MemoryFigures(total: 10_000, available: available, stalled: stalled)
      return admission.missing(bytes, isGreedy: isGreedy, figures, now: now)
    }
    #expect(missing(50, 150) == 0)
    #expect(missing(51, 150) == 1)
    admission.started(30, now: 1)
    #expect(missing(50, 150) == 30)
    // It has grown by now: what it uses is not available any more.
    #expect(missing(50, 150, now: 2 + MemoryAdmission.growth) == 0)
    admission.removed(40, now: 5_000_000_000)
    #expect(missing(50, 110, now: 5_000_000_001) == 0)
    #expect(missing(50, 110, now: 5_000_000_001 + MemoryAdmission.departure) == 40)
    #expect(missing(50, 150, now: 9_000_000_000, isGreedy: true) == 50)
    #expect(missing(50, 150, now: 9_000_000_000, stalled: 30) == 100)
  }

  @Test func theReserveFitsTheHost() {
    #expect(MemoryAdmission.usualReserve(64 * HostMemoryTests.gibibyte) == 512 * HostMemoryTests.mebibyte)
    #expect(MemoryAdmission.usualReserve(8 * HostMemoryTests.gibibyte) == 8 * HostMemoryTests.gibibyte / 50)
    #expect(MemoryAdmission.usualReserve(HostMemoryTests.gibibyte) == 64 * HostMemoryTests.mebibyte)
    #expect(MemoryAdmission.usualReserve(128 * HostMemoryTests.mebibyte) == 32 * HostMemoryTests.mebibyte)
  }

  @Test func theLeastMissedGoFirst() {
    let idle = [
      Idle(environment: "small and old", bytes: 10, age: 100), Idle(environment: "large and young", bytes: 500, age: 1),
      Idle(environment: "large and old", bytes: 500, age: 90), Idle(environment: "unknown", bytes: 0, age: 1000),
    ]
    func names(_ bytes: Int) -> [String] { MemoryAdmission.evict(idle, for: bytes).map(\.environment) }
    #expect(names(1) == ["large and old"])
    #expect(names(501) == ["large and old", "small and old"])
    #expect(names(511) == ["large and old", "small and old", "large and young"])
    #expect(names(1011) == [], "nobody is removed for nothing")
    #expect(names(0) == [])
    #expect(MemoryAdmission.evict(idle, for: 5000, orLess: true).count == 3)
  }

  @Test func theKernelsTexts() {
    let text = "MemTotal:       24684092 kB\nMemFree:        22742816 kB\nMemAvailable:   24010552 kB\n"
    #expect(KernelMemory.kibibytes("MemAvailable", in: text) == 24_010_552 << 10)
    #expect(KernelMemory.kibibytes("Mem", in: text) == nil)
    let pressure = "some avg10=1.50 avg60=0.00 avg300=0.00 total=3\nfull avg10=0.75 avg60=0.00 avg300=0.00 total=1\n"
    #expect(KernelMemory.stalled(pressure) == 0.75 && KernelMemory.stalled("nonsense") == 0)
    #expect(KernelMemory.number("max\n") == nil && KernelMemory.number("4096\n") == 4096)
    let here = KernelMemory().read()
    #expect(here.map { $0.total > 0 && $0.available >= 0 && $0.available <= $0.total } ?? true)
  }

  /// Functions of several sizes come and go on a host too small for all of them. An environment becomes as large
  /// as it was said to, some time after its start; one that is removed is gone after a moment.
  @Test(arguments: 0..<20) func neverMoreThanThereIs(_ seed: Int) {
    struct Alive {
      let bytes: Int
      let born: UInt64
      var busyUntil: UInt64
      var goneAt: UInt64?
    }
    var dice = SplitMix(seed: UInt64(seed))
    let total = 4 * HostMemoryTests.gibibyte
    var admission = MemoryAdmission(reserve: nil)
    var alive: [Alive] = []
    var now: UInt64 = 1
    var (admitted, refused, evicted) = (0, 0, 0)
    for _ in 0..<3000 {
      now += UInt64.random(in: 0...60_000_000, using: &dice)
      alive.removeAll { $0.goneAt.map { $0 <= now } ?? false }
      let used = alive.reduce(0) { sum, environment in
        let grown = min(1, Double(now - environment.born) / Double(MemoryAdmission.growth))
        return sum + Int(Double(environment.bytes) * grown)
      }
      #expect(used <= total, "out of memory")
      let figures = MemoryFigures(total: total, available: total - used)
      let bytes = Int.random(in: 16...256, using: &dice) * HostMemoryTests.mebibyte
      let missing = admission.missing(bytes, isGreedy: false, figures, now: now)
      if missing > 0 {
        let idle = alive.indices.filter { alive[$0].busyUntil <= now && alive[$0].goneAt == nil }.map {
          Idle(environment: $0, bytes: alive[$0].bytes, age: now - alive[$0].busyUntil)
        }
        let chosen = MemoryAdmission.evict(idle, for: missing)
        guard !chosen.isEmpty else {
          refused += 1
          continue
        }
        for one in chosen {
          alive[one.environment].goneAt = now + UInt64.random(in: 0...MemoryAdmission.departure, using: &dice)
          admission.removed(one.bytes, now: now)
        }
        evicted += chosen.count
      }
      admitted += 1
      admission.started(bytes, now: now)
      alive.append(Alive(bytes: bytes, born: now, busyUntil: now + UInt64.random(in: 0...2_000_000_000, using: &dice)))
    }
    #expect(admitted > 0 && evicted > 0)
    #expect(admitted + refused == 3000)
  }
}
