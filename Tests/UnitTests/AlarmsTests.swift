// The clock that can be moved: it goes forward only, stands still while it is moved, and rings what is due in order.
import MartletCore
import Synchronization
import Testing

/// A host whose time a test sets.
private final class SetWorld: World {
  let time = Mutex(Timestamp(milliseconds: 1_800_000_000_000))
  func now() -> Timestamp { time.withLock { $0 } }
  func monotonic() -> UInt64 { UInt64(now().nanoseconds) }
  func random() -> UInt64 { 4 }
  func pass(_ span: Duration) { time.withLock { $0 = $0 + span } }
}

private final class Diary: Sendable {
  private let lines = Mutex<[String]>([])
  func note(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

@Suite struct AlarmsTests {
  private let host = SetWorld()
  private let world: MovableWorld
  private let diary = Diary()
  private let timers = Timers()

  /// What would be timers of the host.
  private final class Timers: Sendable {
    let all = Mutex<[(Duration, @Sendable () -> Void)]>([])
  }

  init() { world = MovableWorld(host) }

  private func alarms() -> Alarms {
    Alarms(world: world) { [timers] delay, body in timers.all.withLock { $0.append((delay, body)) } }
  }

  private func advance(_ alarms: Alarms, _ span: Duration) async -> Alarms.Move {
    await alarms.move(patience: .seconds(1)) { $0 + span }
  }

  @Test func theWorldMovesForwardOnly() {
    let begun = host.now()
    #expect(world.now() == begun && world.offset == 0)
    world.hold(at: begun + .seconds(60))
    host.pass(.seconds(5))
    #expect(world.now() == begun + .seconds(60), "it stands still while it is held")
    #expect(world.hold(at: begun) == begun + .seconds(60), "never back")
    world.release()
    #expect(world.now() == begun + .seconds(60))
    host.pass(.seconds(1))
    #expect(world.now() == begun + .seconds(61) && world.hostNow() == begun + .seconds(6))
    world.hold(at: begun)
    host.pass(.seconds(100))
    world.release()
    #expect(world.now() == begun + .seconds(161), "what passed meanwhile is made up for")
    #expect(MovableWorld(host, offset: 7).offset == 7)
  }

  @Test func alarmsRingInOrder() async {
    let alarms = alarms()
    let now = world.now()
    for (name, seconds) in [("c", 30), ("a", 10), ("d", 30), ("b", 20), ("late", 61)] {
      alarms.set(at: now + .seconds(seconds)) { [diary, world] in
        diary.note("\(name) \((world.now() - now).components.seconds)")
      }
    }
    let cancelled = alarms.set(at: now + .seconds(5)) { [diary] in diary.note("cancelled") }
    alarms.cancel(cancelled)
    #expect(alarms.next == now + .seconds(10))
    let move = await advance(alarms, .seconds(60))
    #expect(diary.all == ["a 10", "b 20", "c 30", "d 30"], "each at its own time")
    #expect(move.rang == 4 && move.isSettled && move.now == now + .seconds(60))
    #expect(alarms.next == now + .seconds(61))
  }

  @Test func whatAnAlarmSetsIsRungToo() async {
    let alarms = alarms()
    let now = world.now()
    alarms.set(at: now + .seconds(60)) { [diary] in
      diary.note("first")
      alarms.set(at: alarms.world.now() + .seconds(120)) { diary.note("second") }
    }
    let move = await advance(alarms, .seconds(180))
    #expect(diary.all == ["first", "second"] && move.rang == 2)
  }

  @Test func aMoveWaitsForTheWorkThatItSetOff() async {
    let alarms = alarms()
    let now = world.now()
    let (work, begin) = AsyncStream<Void>.makeStream()
    alarms.set(at: now + .seconds(60)) {
      alarms.begin()
      begin.yield()
    }
    let worker = Task { [diary, world, host] in
      for await _ in work {
        host.pass(.milliseconds(300))
        diary.note("worked at \((world.now() - now).components.seconds)")
        alarms.set(at: world.now() + .seconds(120)) { diary.note("again") }
        alarms.end()
      }
    }
    let move = await advance(alarms, .seconds(180))
    #expect(diary.all == ["worked at 60", "again"], "the work took no time of the world")
    #expect(move.isSettled)
    begin.finish()
    await worker.value
  }

  @Test func aMoveDoesNotWaitForEver() async {
    let alarms = alarms()
    let now = world.now()
    alarms.set(at: now + .seconds(10)) { alarms.begin() }
    alarms.set(at: now + .seconds(20)) { [diary] in diary.note("second") }
    let mover = Task { await advance(alarms, .seconds(30)) }
    // The host's timers: patience is over as soon as somebody waits.
    while diary.all.isEmpty {
      let due = timers.all.withLock { all in
        defer { all = [] }
        return all
      }
      for timer in due where timer.0 <= .seconds(1) { timer.1() }
      await Task.yield()
    }
    let finisher = Task { alarms.end() }
    let move = await mover.value
    await finisher.value
    #expect(diary.all == ["second"] && move.rang == 2 && move.now == now + .seconds(30))
  }

  @Test func realTimeRingsToo() throws {
    let alarms = alarms()
    alarms.set(at: world.now() + .seconds(90)) { [diary] in diary.note("rang") }
    // Timers are short, because the host's clock may be set.
    let first = try #require(timers.all.withLock { $0.popLast() })
    #expect(first.0 == .seconds(60))
    host.pass(.seconds(60))
    first.1()
    #expect(diary.all.isEmpty)
    let second = try #require(timers.all.withLock { $0.popLast() })
    #expect(second.0 == .seconds(30))
    host.pass(.seconds(30))
    second.1()
    #expect(diary.all == ["rang"])
  }

  @Test func spansAreRead() {
    let good: [(String, Duration)] = [
      ("2m", .seconds(120)), ("1h30m", .seconds(5400)), ("500ms", .milliseconds(500)), ("90", .seconds(90)),
      ("7d", .seconds(604_800)), ("1y", .seconds(31_536_000)), ("1m1ms", .milliseconds(60_001)), ("0s", .zero),
    ]
    for (text, span) in good { #expect(Duration.parse(text) == span, "\(text)") }
    for text in ["", "m", "2", "-2m", "2 m", "2x", "2m3", "1.5h", "9999999999999999999s", "300y", "2M"]
    where text != "2" {
      #expect(Duration.parse(text) == nil, "\(text)")
    }
  }

  @Test(arguments: 1...10) func aHeapSorts(seed: UInt64) {
    var dice = SplitMix(seed: seed)
    let numbers = (0..<200).map { _ in Int.random(in: 0...50, using: &dice) }
    var heap = Heap<Int>()
    var sorted: [Int] = []
    for number in numbers {
      heap.insert(number)
      if Int.random(in: 0...9, using: &dice) == 0, let least = heap.removeFirst() { heap.insert(least) }
    }
    while let next = heap.removeFirst() { sorted.append(next) }
    #expect(sorted == numbers.sorted())
  }
}
