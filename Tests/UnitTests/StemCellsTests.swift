// Stem cells as values: how many there are of each kind, and who gets them.
import Testing

@testable import MartletLambda

@Suite struct StemCellsTests {
  private typealias Machine = StemCellsStateMachine<String, Int>
  private static let second: UInt64 = 1_000_000_000

  @Test func comesWhenSomebodyIsExpectedAndServesOnce() {
    var machine = Machine()
    #expect(machine.take("a", at: 0) == nil, "nobody has heard of the kind")
    machine.expected("a", weight: 40, at: 0)
    #expect(machine.tick(at: 1) == [.start("a")])
    #expect(machine.tick(at: 2) == [], "one is coming already")
    #expect(machine.take("a", at: 3) == nil)
    #expect(machine.came("a", 7) == true)
    #expect(machine.take("a", at: 4) == 7)
    #expect(machine.take("a", at: 5) == nil, "it is somebody's")
    #expect(machine.census.map(\.figures) == [StemCellFigures(ready: 0, coming: 0, taken: 1, missed: 2, failures: 0)])
  }

  @Test func thereAreAsManyAsWereTakenWithinBounds() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    for _ in 0..<3 { _ = machine.take("a", at: 1) }
    #expect(machine.tick(at: 2) == Array(repeating: .start("a"), count: 3))
    for _ in 0..<20 { _ = machine.take("a", at: 3) }
    #expect(machine.tick(at: 4) == [.start("a")], "four at most")
    for id in 1...4 { #expect(machine.came("a", id) == true) }
    #expect(machine.tick(at: 15 * Self.second) == [], "the window before counts, too")
    #expect(machine.tick(at: 25 * Self.second) == [.end(1), .end(2), .end(3)])
  }

  @Test func whatWithdrawsIsNoFailure() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    #expect(machine.tick(at: 1) == [.start("a")])
    machine.withdrew("a")
    machine.withdrew("a")
    #expect(machine.tick(at: 2) == [.start("a")], "it is tried again at once")
    #expect(machine.came("a", 1) == true)
    #expect(machine.drop("a") == [.end(1)])
    #expect(machine.drop("a") == [] && machine.tick(at: 3) == [] && machine.take("a", at: 4) == nil)
  }

  @Test func goesWhenNobodyUsesIt() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    _ = machine.tick(at: 0)
    #expect(machine.came("a", 1) == true)
    #expect(machine.tick(at: 899 * Self.second) == [])
    #expect(machine.tick(at: 901 * Self.second) == [.end(1)])
    #expect(machine.census.isEmpty)
    #expect(machine.came("a", 2) == false, "what comes late is not wanted")
  }

  @Test func whatWasUsedLastHasRoomFirst() {
    var limits = Machine.Limits()
    limits.weight = 80
    var machine = Machine(limits: limits)
    for (i, key) in ["a", "b", "c"].enumerated() { machine.expected(key, weight: 40, at: UInt64(i)) }
    #expect(machine.tick(at: 3) == [.start("c"), .start("b")])
    #expect(machine.came("b", 1) == true)
    #expect(machine.came("c", 2) == true)
    machine.expected("a", weight: 40, at: 4)
    #expect(machine.tick(at: 5) == [.start("a"), .end(1)])
  }

  @Test func whatIsHeavyTakesTheRoomOfSeveral() {
    var limits = Machine.Limits()
    limits.weight = 120
    var machine = Machine(limits: limits)
    machine.expected("java", weight: 80, at: 0)
    for _ in 0..<3 { _ = machine.take("java", at: 1) }
    machine.expected("ruby", weight: 20, at: 0)
    for _ in 0..<3 { _ = machine.take("ruby", at: 0) }
    #expect(machine.tick(at: 2) == [.start("java"), .start("ruby"), .start("ruby")])
  }

  /// A variable that a runtime reads when it starts, its own or every program's.
  @Test func runtimesReadVariablesAtTheirStart() throws {
    func kind(_ family: RuntimeFamily, _ version: String = "20") -> StemCellKind? {
      StemCellKind.of(Interpreter(family: family, version: version, path: "/usr/bin/it"))
    }
    for family in RuntimeFamily.allCases {
      guard let kind = kind(family) else { continue }
      for name in ["LD_LIBRARY_PATH", "LC_ALL", "LANG", "MALLOC_ARENA_MAX"] { #expect(kind.isReadAtStart(name)) }
      for name in ["TZ", "PATH", "HOME", "_HANDLER"] { #expect(!kind.isReadAtStart(name), "\(family) \(name)") }
    }
    for (family, name) in [
      (.nodejs, "NODE_OPTIONS"), (.ruby, "RUBYOPT"), (.ruby, "GEM_HOME"), (.ruby, "BUNDLE_GEMFILE"),
      (.python, "PYTHONHASHSEED"), (.java, "JAVA_TOOL_OPTIONS"), (.java, "_JAVA_OPTIONS"), (.java, "JDK_JAVA_OPTIONS"),
    ] as [(RuntimeFamily, String)] {
      #expect(try #require(kind(family)).isReadAtStart(name))
      #expect(try !#require(kind(family == .java ? .ruby : .java)).isReadAtStart(name), "another's own")
    }
    #expect(kind(.provided) == nil && kind(.python)?.isForked == true && kind(.nodejs)?.isForked == false)
    #expect(kind(.java)?.follows == true && kind(.ruby)?.follows == false && kind(.nodejs)?.follows == false)
    #expect(kind(.java, "17.0.15")?.flags == [] && kind(.java, "25")?.flags.count == 1)
  }

  @Test func whatFailsIsTriedAgainLater() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    var starts: [UInt64] = []
    for second in 0..<1000 {
      for case .start in machine.tick(at: UInt64(second) * Self.second) {
        starts.append(UInt64(second))
        machine.failed("a", -1, at: UInt64(second) * Self.second)
      }
      machine.expected("a", weight: 40, at: UInt64(second) * Self.second)
    }
    #expect(starts == [0, 60, 180, 420, 900], "after 1, 2, 4 and 8 minutes")
    // One that has ended by itself is not taken.
    machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    _ = machine.tick(at: 0)
    #expect(machine.came("a", 1) == true)
    machine.failed("a", 1, at: 1)
    #expect(machine.take("a", at: 2) == nil)
  }

  @Test func theHostsMemoryComesFirst() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    _ = machine.tick(at: 0)
    #expect(machine.came("a", 1) == true)
    #expect(machine.giveUp(at: 1) == [.end(1)])
    #expect(machine.tick(at: 59 * Self.second) == [])
    #expect(machine.tick(at: 61 * Self.second) == [.start("a")])
  }

  @Test func poolsOfSizeZeroHoldNothing() {
    var limits = Machine.Limits()
    limits.weight = PoolSizes(0).cellMemory
    limits.levels = PoolSizes(0).cellsOfOneKind
    var machine = Machine(limits: limits)
    machine.expected("a", weight: 40, at: 0)
    for i in 0..<50 { #expect(machine.take("a", at: UInt64(i)) == nil) }
    #expect(machine.tick(at: Self.second) == [])
    #expect(machine.census.map(\.figures) == [StemCellFigures(ready: 0, coming: 0, taken: 0, missed: 50, failures: 0)])
  }

  /// Cells that need up to a second to come up, a tick each second, and kinds whose demand changes.
  @Test(arguments: 0..<16) func demandIsMetWithinThreeSeconds(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    let limits = Machine.Limits()
    var machine = Machine(limits: limits)
    var (now, next): (UInt64, Int) = (0, 0)
    var (ready, used): ([Int: String], Set<Int>) = ([:], [])
    var coming: [(key: String, at: UInt64)] = []
    func tick() {
      for action in machine.tick(at: now) {
        switch action {
        case .start(let key): coming.append((key, now + random.next() % Self.second))
        case .end(let id): #expect(ready.removeValue(forKey: id) != nil, "ended once, seed \(seed)")
        }
      }
    }
    func pass(seconds: Int) {
      for _ in 0..<seconds {
        now += Self.second
        for (key, at) in coming where at <= now {
          next += 1
          #expect(machine.came(key, next) == true, "seed \(seed)")
          ready[next] = key
        }
        coming.removeAll { $0.at <= now }
        tick()
        #expect(ready.count + coming.count <= limits.weight / 40, "seed \(seed)")
      }
    }
    for _ in 0..<60 {
      let kinds = (0..<1 + Int(random.next() % 3)).map { ["a", "b", "c", "d"][(Int(random.next() % 2) + $0) % 4] }
      var demand: [String: Int] = [:]
      for key in kinds {
        machine.expected(key, weight: 40, at: now)
        for _ in 0..<random.next() % 7 {
          demand[key, default: 0] += 1
          guard let id = machine.take(key, at: now) else { continue }
          #expect(ready.removeValue(forKey: id) == key && used.insert(id).inserted, "used once, seed \(seed)")
        }
      }
      pass(seconds: 3)
      for (key, count) in demand {
        // As many as were taken; what was asked for in the ten seconds before counts, too.
        let have = ready.values.count { $0 == key }
        #expect(have >= min(count, limits.levels.upperBound), "\(key): \(have) of \(count), seed \(seed)")
      }
      pass(seconds: Int(random.next() % 30))
    }
  }

  @Test(arguments: 0..<16) func nothingIsLostAndNothingServesTwo(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var limits = Machine.Limits()
    limits.weight = 200
    let weights = ["a": 40, "b": 20, "c": 80, "d": 40]
    var machine = Machine(limits: limits)
    var now: UInt64 = 0
    var up: [Int: String] = [:]
    var coming: [String] = []
    var next = 0
    func obey(_ actions: [Machine.Action]) {
      for action in actions {
        switch action {
        case .start(let key): coming.append(key)
        case .end(let id): #expect(up.removeValue(forKey: id) != nil, "\(id) is ended once, seed \(seed)")
        }
      }
    }
    for _ in 0..<600 {
      now &+= random.next() % (5 * Self.second)
      let key = ["a", "b", "c", "d"][Int(random.next() % 4)]
      switch random.next() % 7 {
      case 0, 1:
        machine.expected(key, weight: weights[key] ?? 0, at: now)
        if let id = machine.take(key, at: now) {
          #expect(up.removeValue(forKey: id) == key, "it is up, the right one and nobody else's, seed \(seed)")
        }
      case 2, 3:
        guard let index = coming.indices.randomElement(using: &random) else { continue }
        next += 1
        let came = coming.remove(at: index)
        if random.next() % 4 == 0 {
          machine.failed(came, next, at: now)
        } else if machine.came(came, next) {
          up[next] = came
        }
      case 4:
        guard let (id, key) = up.randomElement(using: &random) else { continue }
        up[id] = nil
        machine.failed(key, id, at: now)
      default: obey(machine.tick(at: now))
      }
      #expect(machine.census.reduce(0) { $0 + $1.figures.ready } == up.count, "seed \(seed)")
      // Whoever comes anew finds the cells of the others until the next tick.
      let weight = (Array(up.values) + coming).reduce(0) { $0 + (weights[$1] ?? 0) }
      #expect(weight <= limits.weight + limits.levels.upperBound * 80, "seed \(seed)")
    }
    obey(machine.tick(at: now &+ 10_000 * Self.second))
    #expect(up.isEmpty && machine.census.isEmpty, "nothing is left when nobody uses it, seed \(seed)")
  }
}
