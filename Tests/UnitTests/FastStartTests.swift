// Fast start as values: which zygotes there are, and which programs may be forked.
import MartletCore
import MartletSandbox
import Testing

@testable import MartletLambda

@Suite struct FastStartTests {
  private typealias Machine = FastStartStateMachine<String, Int>
  private static let second: UInt64 = 1_000_000_000

  @Test func comesUpOnDemandAndServes() {
    var machine = Machine()
    #expect(machine.wanted("a", at: 0) == (nil, [.start("a")]))
    #expect(machine.wanted("a", at: 1) == (nil, []), "one is coming already")
    #expect(machine.came("a", 7, at: 2) == [.level(7, 2)])
    #expect(machine.wanted("a", at: 3) == (7, [.level(7, 3)]), "three in ten seconds: three ahead")
    #expect(machine.expected("a", at: 4).isEmpty)
  }

  @Test func goesWhenItIsDroppedOrTheHostWantsItsMemory() {
    var machine = Machine()
    for (id, key) in ["a", "b", "c"].enumerated() {
      _ = machine.expected(key, at: 0)
      _ = machine.came(key, id, at: 0)
    }
    #expect(machine.up("a") == 0 && machine.up("x") == nil)
    #expect(machine.drop("a") == [.end(0)] && machine.drop("a").isEmpty && machine.up("a") == nil)
    _ = machine.wanted("c", at: 11 * Self.second)
    #expect(machine.giveUp(at: 12 * Self.second) == [.end(1)], "the other one was used a moment ago")
    #expect(machine.wanted("b", at: 13 * Self.second) == (nil, [.start("b")]))
  }

  @Test func theLevelFollowsDemandWithinBounds() {
    var machine = Machine()
    _ = machine.expected("a", at: 0)
    _ = machine.came("a", 1, at: 0)
    var levels: [Int] = []
    for _ in 0..<20 {
      for case .level(_, let level) in machine.wanted("a", at: 1).actions { levels.append(level) }
    }
    #expect(levels == [3, 4, 5, 6, 7, 8])
    #expect(machine.tick(at: 899 * Self.second).isEmpty, "it is remembered")
    _ = machine.expected("a", at: 899 * Self.second)
    #expect(machine.tick(at: 900 * Self.second) == [.level(1, 5)], "a quarter of 20")
  }

  @Test func isReplacedWhenOldOrMuchUsed() {
    var machine = Machine()
    _ = machine.expected("a", at: 0)
    _ = machine.came("a", 1, at: 0)
    for i in 1...1000 {
      let actions = machine.wanted("a", at: UInt64(i)).actions
      #expect(actions.contains(.start("a")) == (i == 1000))
    }
    #expect(machine.wanted("a", at: 2000).zygote == 1, "until the other one is up")
    #expect(machine.came("a", 2, at: 3000).first == .end(1))
    #expect(machine.wanted("a", at: 4000).zygote == 2)
    var later: UInt64 = 0
    for minute in 1...61 {
      later = UInt64(minute) * 60 * Self.second
      let actions = machine.wanted("a", at: later).actions
      #expect(actions.contains(.start("a")) == (minute == 61))
    }
  }

  @Test func goesWhenNobodyUsesIt() {
    var machine = Machine()
    _ = machine.wanted("a", at: 0)
    _ = machine.came("a", 1, at: 0)
    #expect(machine.tick(at: 899 * Self.second) == [])
    #expect(machine.tick(at: 901 * Self.second) == [.end(1)])
    #expect(machine.census.isEmpty)
    _ = machine.wanted("b", at: 0)
    #expect(machine.tick(at: 901 * Self.second) == [])
    #expect(machine.came("b", 2, at: 902 * Self.second) == [.end(2)], "it came too late")
  }

  @Test func waitsAfterFailuresLongerAndLonger() {
    var machine = Machine()
    _ = machine.wanted("a", at: 0)
    machine.failed("a", at: 0)
    #expect(machine.wanted("a", at: 59 * Self.second).actions == [])
    #expect(machine.wanted("a", at: 60 * Self.second).actions == [.start("a")])
    machine.failed("a", at: 60 * Self.second)
    #expect(machine.wanted("a", at: 179 * Self.second).actions == [])
    #expect(machine.wanted("a", at: 180 * Self.second).actions == [.start("a")])
    _ = machine.came("a", 1, at: 180 * Self.second)
    #expect(machine.ended("a", 1, at: 181 * Self.second) == [.start("a")], "what was up is replaced at once")
  }

  @Test func makesRoomForWhatIsUsed() {
    var limits = Machine.Limits()
    limits.zygotes = 2
    var machine = Machine(limits: limits)
    for (i, key) in ["a", "b"].enumerated() {
      _ = machine.expected(key, at: UInt64(i))
      _ = machine.came(key, i, at: UInt64(i))
    }
    #expect(machine.wanted("c", at: 5 * Self.second) == (nil, []), "both were used just now")
    #expect(machine.wanted("c", at: 20 * Self.second) == (nil, [.end(0), .start("c")]))
  }

  @Test func whateverHappensItKeepsItsPromises() {
    for seed in UInt64(0)..<300 {
      var random = SplitMix(seed: seed)
      var limits = Machine.Limits()
      limits.zygotes = 3
      limits.starts = 10
      var machine = Machine(limits: limits)
      var (coming, up): ([String], [Int: String]) = ([], [:])
      var (now, next): (UInt64, Int) = (0, 0)
      func obey(_ actions: [Machine.Action]) {
        for action in actions {
          switch action {
          case .start(let key): coming.append(key)
          case .end(let id): #expect(up.removeValue(forKey: id) != nil, "\(id) is ended once, seed \(seed)")
          case .level(let id, let level):
            #expect(up[id] != nil && limits.levels.contains(level), "seed \(seed)")
          }
        }
      }
      for _ in 0..<400 {
        now &+= random.next() % (20 * Self.second)
        let key = ["a", "b", "c", "d", "e"][Int(random.next() % 5)]
        switch random.next() % 8 {
        case 0...2:
          let (zygote, actions) = machine.wanted(key, at: now)
          if let zygote { #expect(up[zygote] == key, "it is up and the right one, seed \(seed)") }
          obey(actions)
        case 3: obey(machine.expected(key, at: now))
        case 4, 5:
          guard let index = coming.indices.randomElement(using: &random) else { continue }
          next += 1
          let came = coming.remove(at: index)
          if random.next() % 4 == 0 {
            machine.failed(came, at: now)
          } else {
            up[next] = came
            obey(machine.came(came, next, at: now))
          }
        case 6:
          guard let (id, key) = up.randomElement(using: &random) else { continue }
          up[id] = nil
          obey(machine.ended(key, id, at: now))
        default: obey(machine.tick(at: now))
        }
        #expect(Set(up.values).count == up.count, "never two of a kind, seed \(seed)")
        #expect(up.count <= limits.zygotes, "seed \(seed)")
      }
      for key in coming { machine.failed(key, at: now) }
      obey(machine.tick(at: now &+ 10000 * Self.second))
      #expect(up.isEmpty && machine.census.isEmpty, "nothing is left when nobody uses it, seed \(seed)")
    }
  }

  @Test func poolsOfSizeZeroHoldNothingAndRefuseNothing() {
    var limits = Machine.Limits()
    limits.levels = PoolSizes(0).forks
    var machine = Machine(limits: limits)
    _ = machine.expected("a", at: 0)
    #expect(machine.came("a", 1, at: 0) == [], "no fork waits")
    for i in 0..<50 { #expect(machine.wanted("a", at: UInt64(i)) == (1, []), "and each is made on the spot") }
    #expect(machine.tick(at: 5 * Self.second) == [])
    #expect(machine.tick(at: 2000 * Self.second) == [.end(1)])
  }

  @Test func oneNumberMakesTheSizesOfAllPools() {
    let usual = PoolSizes()
    #expect(usual.sandboxes == 8 && usual.forks == 2...8 && usual.cellMemory == 480 && usual.forkMemory == 160)
    for number in PoolSizes.range {
      let sizes = PoolSizes(number)
      #expect(sizes.forks.upperBound == number)
      #expect((sizes.cellMemory == 0) == (number == 0) && (sizes.forkMemory == 0) == (number == 0))
    }
  }

  @Test func theHostsMemoryMakesThatNumber() {
    for (mebibytes, number) in [(256, 1), (1_900, 2), (3_800, 4), (7_900, 8), (24_100, 24), (999_999, 64)] {
      #expect(PoolSizes(memory: .mebibytes(mebibytes)).sandboxes == number, "\(mebibytes) MiB")
    }
  }

  /// Demand for one kind in the midst of others: how soon the level is what was used at one time, and is not.
  @Test(arguments: 0..<40) func demandIsMetAtOnceAndForgottenSlowly(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var limits = Machine.Limits()
    limits.zygotes = 4
    var machine = Machine(limits: limits)
    var (now, level): (UInt64, Int) = (0, 0)
    func obey(_ actions: [Machine.Action]) { for case .level(1, let new) in actions { level = new } }
    _ = machine.expected("a", at: 0)
    obey(machine.came("a", 1, at: 0))
    for _ in 0..<20 {
      let demand = Int(random.next() % 20)
      for _ in 0..<demand {
        obey(machine.wanted("a", at: now).actions)
        if random.next() % 3 == 0 { obey(machine.wanted("b", at: now).actions) }
      }
      let (least, most) = (limits.levels.lowerBound, limits.levels.upperBound)
      #expect(level >= max(least, min(most, demand)), "seed \(seed)")
      for step in 1...240 {
        now += 10 * Self.second
        obey(machine.tick(at: now))
        _ = machine.expected("a", at: now)
        if step == 30 { #expect(level >= max(least, min(most, demand)), "seed \(seed)") }
      }
      #expect(level == limits.levels.lowerBound, "seed \(seed)")
    }
  }

  private func program(_ arguments: [String], _ variables: [String]) -> SandboxProgram {
    let common = RuntimeProgram.pythonZygote(
      Interpreter(family: .python, version: "3.12", path: "/srv/p/bin/python3.12"))
    return SandboxProgram(
      arguments: arguments, environment: common.environment + variables, workingDirectory: "/var/task")
  }

  @Test(arguments: [
    "PYTHONHASHSEED=1", "PYTHONUNBUFFERED=1", "LD_PRELOAD=/opt/x.so", "LC_ALL=de_DE", "OPENSSL_CONF=/var/task/x",
    "MALLOC_ARENA_MAX=1", "PYTHONPATH=/var/task/more",
  ])
  func whatAnInterpreterReadsAtItsStartNeedsOne(variable: String) {
    let interpreter = Interpreter(family: .python, version: "3.12", path: "/srv/p/bin/python3.12")
    let zygote = RuntimeProgram.pythonZygote(interpreter)
    let usual = ["/srv/p/bin/python3.12", "/var/runtime/bootstrap.py"]
    #expect(FastStart.fits(program(usual, ["A=b", "TZ=Europe/Berlin", "AWS_REGION=x", "PATH=/x"]), zygote))
    #expect(!FastStart.fits(program(usual, [variable]), zygote))
    #expect(!FastStart.fits(program(["/bin/sh", "-c", "x", "/opt/wrapper"] + usual, []), zygote))
    #expect(!FastStart.fits(program(["/srv/p/bin/python3.12", "/var/runtime/debug.py"], []), zygote))
    #expect(!FastStart.fits(program(["/srv/p/bin/python3.11", "/var/runtime/bootstrap.py"], []), zygote))
  }
}
