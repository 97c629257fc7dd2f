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
    #expect(machine.came("a", 7, at: 3) == [])
    #expect(machine.take("a", at: 4) == 7)
    #expect(machine.take("a", at: 5) == nil, "it is somebody's")
    #expect(machine.census.map(\.figures) == [StemCellFigures(ready: 0, coming: 0, taken: 1, missed: 2, failures: 0)])
  }

  @Test func thereAreAsManyAsWereTakenAtOneTimeWithinBounds() {
    var limits = Machine.Limits()
    limits.weight = 320
    var machine = Machine(limits: limits)
    machine.expected("a", weight: 40, at: 0)
    for _ in 0..<3 { _ = machine.take("a", at: 1) }
    #expect(machine.tick(at: 2 * Self.second) == Array(repeating: .start("a"), count: 3))
    for _ in 0..<20 { _ = machine.take("a", at: 2 * Self.second) }
    #expect(machine.tick(at: 4 * Self.second) == [.start("a")], "four come up at one time")
    for id in 1...8 {
      #expect(machine.came("a", id, at: 5 * Self.second) == (id < 5 ? [.start("a")] : []), "320 MB are eight")
    }
    #expect(machine.tick(at: 599 * Self.second) == [], "who comes every five minutes finds as many")
    #expect(machine.tick(at: 601 * Self.second) == [], "half of 23 is more than there is room for")
    #expect(machine.tick(at: 899 * Self.second) == [])
    #expect(machine.tick(at: 900 * Self.second) == [.end(1), .end(2), .end(3)], "a quarter")
  }

  @Test func whoStartsWithoutIsLeftAlone() {
    var machine = Machine()
    machine.expected("a", weight: 5, at: 0)
    for _ in 0..<50 { #expect(machine.take("a", at: 0) == nil) }
    #expect(machine.tick(at: Self.second / 2) == [.start("a")], "one, and none when it has come")
    #expect(machine.came("a", 1, at: Self.second - 1) == [])
    #expect(machine.tick(at: Self.second) == [.start("a")])
    #expect(machine.came("a", 2, at: Self.second + 1) == Array(repeating: .start("a"), count: 4), "that is over")
    for _ in 0..<2 { #expect(machine.take("a", at: 2 * Self.second) != nil) }
    #expect(machine.came("a", 3, at: 2 * Self.second) == [.start("a")], "these were there")
  }

  @Test func whatWeighsLittleIsThereMoreThanOnce() {
    var machine = Machine()
    machine.expected("python", weight: 5, at: 0)
    machine.expected("java", weight: 60, at: 1)
    #expect(machine.tick(at: 2) == [.start("java")] + Array(repeating: .start("python"), count: 4))
    var starts = 4
    for id in 1...8 { starts += machine.came("python", id, at: 3).count }
    #expect(starts == 8 && machine.tick(at: 4) == [], "40 MB of them")
  }

  @Test func whoCallsMeanwhileWaitsForOneSandbox() {
    var machine = Machine()
    machine.expected("empty", weight: 4, abreast: 1, at: 0)
    #expect(machine.tick(at: 1) == [.start("empty")])
    for id in 1...9 { #expect(machine.came("empty", id, at: 2) == [.start("empty")]) }
    #expect(machine.came("empty", 10, at: 2) == [] && machine.tick(at: 3) == [], "40 MB of them")
  }

  @Test func eachKindHasTheLeastBeforeAnyHasMore() {
    var limits = Machine.Limits()
    limits.weight = 320
    var machine = Machine(limits: limits)
    for (i, key) in ["a", "b", "c"].enumerated() { machine.expected(key, weight: 80, at: UInt64(i)) }
    for _ in 0..<50 { _ = machine.take("c", at: 3) }
    #expect(machine.tick(at: 2 * Self.second) == [.start("c"), .start("c"), .start("b"), .start("a")])
  }

  @Test func whatWithdrawsIsNoFailure() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    #expect(machine.tick(at: 1) == [.start("a")])
    machine.withdrew("a")
    machine.withdrew("a")
    #expect(machine.tick(at: 2) == [.start("a")], "it is tried again at once")
    #expect(machine.came("a", 1, at: 2) == [])
    #expect(machine.drop("a") == [.end(1)])
    #expect(machine.drop("a") == [] && machine.tick(at: 3) == [] && machine.take("a", at: 4) == nil)
  }

  @Test func goesWhenNobodyUsesIt() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    _ = machine.tick(at: 0)
    #expect(machine.came("a", 1, at: 0) == [])
    #expect(machine.tick(at: 899 * Self.second) == [])
    #expect(machine.tick(at: 901 * Self.second) == [.end(1)])
    #expect(machine.census.isEmpty)
    #expect(machine.came("a", 2, at: 902 * Self.second) == [.end(2)], "what comes late is not wanted")
  }

  @Test func whatWasUsedLastHasRoomFirst() {
    var limits = Machine.Limits()
    limits.weight = 80
    var machine = Machine(limits: limits)
    for (i, key) in ["a", "b", "c"].enumerated() { machine.expected(key, weight: 40, at: UInt64(i)) }
    #expect(machine.tick(at: 3) == [.start("c"), .start("b")])
    #expect(machine.came("b", 1, at: 3) == [])
    #expect(machine.came("c", 2, at: 3) == [])
    machine.expected("a", weight: 40, at: 4)
    #expect(machine.tick(at: 5) == [.start("a"), .end(1)])
  }

  @Test func whoIsUsedByTurnsTakesNothingFromEachOther() {
    var machine = Machine()
    var ready: [Int: String] = [:]
    var (ends, next) = (0, 0)
    for second in UInt64(0)..<120 {
      let now = second * Self.second
      let key = second % 2 == 0 ? "a" : "b"
      machine.expected(key, weight: 5, at: now)
      for _ in 0..<(second < 20 ? 40 : 1) { if let id = machine.take(key, at: now) { ready[id] = nil } }
      var actions = machine.tick(at: now)
      while let action = actions.popLast() {
        switch action {
        case .start(let key):
          next += 1
          ready[next] = key
          actions += machine.came(key, next, at: now)
        case .end(let id):
          ready[id] = nil
          ends += 1
        }
      }
    }
    let counts = ["a", "b"].map { key in ready.values.count { $0 == key } }
    #expect(counts.allSatisfy { 46...49 ~= $0 }, "half of the room each: \(counts)")
    #expect(ends <= 120, "one too many now and then: \(ends)")
  }

  @Test func whatIsExtraHasTheRoomThatIsLeft() {
    var limits = Machine.Limits()
    limits.weight = 240
    var machine = Machine(limits: limits)
    machine.expected("any", weight: 60, at: 0)
    machine.expected("own", weight: 80, isExtra: true, at: 1)
    for _ in 0..<2 { _ = machine.take("any", at: 2) }
    for _ in 0..<2 { _ = machine.take("own", at: 3) }
    #expect(
      machine.tick(at: 2 * Self.second) == [.start("own"), .start("any"), .start("any")],
      "one of each, then more of what serves all")
    machine.expected("other", weight: 80, isExtra: true, at: 4)
    for id in 1...2 { #expect(machine.came("any", id, at: 2 * Self.second) == []) }
    #expect(machine.came("own", 3, at: 2 * Self.second) == [])
    #expect(machine.tick(at: 3 * Self.second) == [.start("other"), .end(1)], "for each one that is its own, first")
  }

  @Test func allHaveTheSameShareOfTheMemory() {
    var machine = Machine()
    let weights = ["java": 60, "node": 40, "python": 5, "ruby": 20, "seldom": 4]
    for (key, weight) in weights {
      machine.expected(key, weight: weight, at: 0)
      for _ in 0..<(key == "seldom" ? 12 : 50) { _ = machine.take(key, at: UInt64(weight)) }
    }
    var counts: [String: Int] = [:]
    var (actions, id) = (machine.tick(at: 2 * Self.second), 0)
    while let action = actions.popLast() {
      guard case .start(let key) = action else { continue }
      (id, counts[key]) = (id + 1, (counts[key] ?? 0) + 1)
      actions += machine.came(key, id, at: 2 * Self.second)
    }
    #expect(counts["seldom"] == 12, "as many as it wants")
    let shares = weights.filter { $0.key != "seldom" }
    for (key, weight) in shares {
      for (other, otherWeight) in shares {
        let (share, another) = (weight * (counts[key] ?? 0), otherWeight * (counts[other] ?? 0))
        #expect(share <= another + weight, "\(key) has \(share), \(other) \(another)")
      }
    }
    let all = weights.reduce(0) { $0 + $1.value * (counts[$1.key] ?? 0) }
    #expect(machine.limits.weight - 4...machine.limits.weight ~= all, "all that there is")
  }

  @Test func whatIsHeavyTakesTheRoomOfSeveral() {
    var limits = Machine.Limits()
    limits.weight = 120
    var machine = Machine(limits: limits)
    machine.expected("java", weight: 80, at: 0)
    for _ in 0..<3 { _ = machine.take("java", at: 1) }
    machine.expected("ruby", weight: 20, at: 0)
    for _ in 0..<3 { _ = machine.take("ruby", at: 0) }
    #expect(machine.tick(at: 2 * Self.second) == [.start("java"), .start("ruby"), .start("ruby")])
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
    #expect(machine.came("a", 1, at: 0) == [])
    machine.failed("a", 1, at: 1)
    #expect(machine.take("a", at: 2) == nil)
  }

  @Test func theHostsMemoryComesFirst() {
    var machine = Machine()
    machine.expected("a", weight: 40, at: 0)
    for _ in 0..<3 { _ = machine.take("a", at: 0) }
    let then = 2 * Self.second
    #expect(machine.tick(at: then).count == 3)
    for id in 1...2 { #expect(machine.came("a", id, at: then) == []) }
    #expect(machine.giveUp(at: then) == [.end(1), .end(2)])
    #expect(machine.came("a", 3, at: then + 1) == [], "it was on its way already")
    #expect(machine.take("a", at: then + 2) == 3)
    #expect(machine.tick(at: then + 59 * Self.second) == [])
    #expect(machine.tick(at: then + 61 * Self.second) == [.start("a")], "one, as if nobody had asked for more")
  }

  @Test func whoIsExpectedSoonNeedsNoTick() {
    var limits = Machine.Limits()
    limits.weight = 100
    var machine = Machine(limits: limits)
    #expect(machine.renewed("a", weight: 40, at: 0) == [.start("a")])
    #expect(machine.renewed("a", weight: 40, at: 0) == [], "it is coming")
    #expect(machine.came("a", 1, at: 1) == [])
    #expect(machine.renewed("a", weight: 40, at: 2) == [], "it is there")
    #expect(machine.renewed("b", weight: 80, at: 2) == [], "there is no room until the next tick")
    #expect(machine.renewed("c", weight: 60, at: 2) == [.start("c")])
    machine.failed("c", -1, at: 3)
    machine.expected("c", weight: 60, at: 4)
    #expect(machine.tick(at: 4) == [], "it is tried again later")
    #expect(machine.renewed("c", weight: 60, at: 5) == [.start("c")], "or when what it is made from is new")
  }

  @Test func poolsOfSizeZeroHoldNothing() {
    var limits = Machine.Limits()
    limits.weight = PoolSizes(0).cellMemory
    var machine = Machine(limits: limits)
    machine.expected("a", weight: 40, at: 0)
    #expect(machine.renewed("a", weight: 40, at: 0) == [])
    for i in 0..<50 { #expect(machine.take("a", at: UInt64(i)) == nil) }
    #expect(machine.tick(at: Self.second) == [])
    #expect(machine.census.map(\.figures) == [StemCellFigures(ready: 0, coming: 0, taken: 0, missed: 50, failures: 0)])
  }

  /// Cells that need up to a second to come up, a tick each second, and kinds whose demand changes.
  @Test(arguments: 0..<16) func demandIsMetWithinSeconds(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var limits = Machine.Limits()
    // Room for four kinds, each asked for twice in ten seconds.
    (limits.weight, limits.least) = (640, 5)
    var machine = Machine(limits: limits)
    var (now, next): (UInt64, Int) = (0, 0)
    var (ready, used): ([Int: String], Set<Int>) = ([:], [])
    var coming: [(key: String, at: UInt64)] = []
    func obey(_ actions: [Machine.Action]) {
      for action in actions {
        switch action {
        case .start(let key): coming.append((key, now + 1 + random.next() % Self.second))
        case .end(let id): #expect(ready.removeValue(forKey: id) != nil, "ended once, seed \(seed)")
        }
      }
    }
    func pass(seconds: Int) {
      for _ in 0..<seconds {
        now += Self.second
        for (key, at) in coming where at <= now {
          next += 1
          ready[next] = key
          obey(machine.came(key, next, at: now))
        }
        coming.removeAll { $0.at <= now }
        obey(machine.tick(at: now))
        #expect(ready.count <= limits.weight / 5, "seed \(seed)")
      }
    }
    for _ in 0..<60 {
      let kinds = Set((0..<1 + random.next() % 3).map { _ in ["a", "b", "c", "d"][Int(random.next() % 4)] })
      var demand: [String: Int] = [:]
      for key in kinds {
        machine.expected(key, weight: 5, at: now)
        for _ in 0..<random.next() % 17 {
          demand[key, default: 0] += 1
          guard let id = machine.take(key, at: now) else { continue }
          #expect(ready.removeValue(forKey: id) == key && used.insert(id).inserted, "used once, seed \(seed)")
        }
      }
      // Four at a time, each within a second.
      pass(seconds: 6)
      for (key, count) in demand {
        let have = ready.values.count { $0 == key }
        #expect(have >= count, "\(key): \(have) of \(count), seed \(seed)")
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
        if random.next() % 2 == 0 {
          machine.expected(key, weight: weights[key] ?? 0, at: now)
        } else {
          obey(machine.renewed(key, weight: weights[key] ?? 0, at: now))
        }
        if let id = machine.take(key, at: now) {
          #expect(up.removeValue(forKey: id) == key, "it is up, the right one and nobody else's, seed \(seed)")
        }
      case 2, 3:
        guard let index = coming.indices.randomElement(using: &random) else { continue }
        next += 1
        let came = coming.remove(at: index)
        if random.next() % 4 == 0 {
          machine.failed(came, next, at: now)
        } else {
          up[next] = came
          obey(machine.came(came, next, at: now))
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
      #expect(weight <= limits.weight + limits.abreast * 180, "seed \(seed)")
    }
    obey(machine.tick(at: now &+ 10_000 * Self.second))
    #expect(up.isEmpty && machine.census.isEmpty, "nothing is left when nobody uses it, seed \(seed)")
  }
}
