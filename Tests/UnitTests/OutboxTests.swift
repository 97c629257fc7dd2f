// Deliveries: which comes next, as a value with random days; and the durable queue on a clock that the test moves.
import Foundation
import Logging
import MartletCore
import MartletStore
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct OutboxOrderTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)

  private func startAll(_ order: inout OutboxOrder) -> [Int64] {
    var ids: [Int64] = []
    while let ticket = order.start() { ids.append(ticket.id) }
    return ids
  }

  @Test func targetsTakeTurnsAndAHangingOneHoldsUpNobody() {
    var order = OutboxOrder(limit: 4, limitPerTarget: 2)
    for id in 1...5 { order.add(Int64(id), target: "hangs", lane: "", due: start) }
    for id in 6...7 { order.add(Int64(id), target: "works", lane: "", due: start) }
    order.wake(at: start)
    #expect(startAll(&order) == [1, 6, 2, 7])
    order.finish(.init(id: 6, target: "works"))
    #expect(startAll(&order) == [], "the hanging target has its share already")
    order.finish(.init(id: 1, target: "hangs"))
    #expect(startAll(&order) == [3])
  }

  @Test func aLaneKeepsItsOrderThroughRetries() {
    var order = OutboxOrder(limit: 10, limitPerTarget: 10)
    for id in 1...3 { order.add(Int64(id), target: "t", lane: "a", due: start) }
    order.add(4, target: "t", lane: "b", due: start)
    order.wake(at: start)
    #expect(startAll(&order) == [1, 4])
    order.retry(.init(id: 1, target: "t"), due: start + .seconds(10))
    order.wake(at: start + .seconds(9))
    #expect(startAll(&order) == [])
    order.wake(at: start + .seconds(10))
    #expect(startAll(&order) == [1])
    order.finish(.init(id: 1, target: "t"))
    order.wake(at: start + .seconds(10))
    #expect(startAll(&order) == [2])
  }

  /// Random targets, lanes, failures and pauses: everything is delivered once, lanes in order, limits kept.
  @Test(arguments: [1, 2, 3, 4, 5, 6]) func randomDays(seed: UInt64) {
    var dice = Dice(seed)
    var order = OutboxOrder(limit: 7, limitPerTarget: 3)
    var (now, added, underWay) = (start, Int64(0), [OutboxOrder.Ticket]())
    var lanes: [Int64: String] = [:]
    var (delivered, lastInLane) = (Set<Int64>(), [String: Int64]())
    while delivered.count < 400 {
      if added < 400, dice.next(3) > 0 {
        added += 1
        let (target, lane) = ("t\(dice.next(4))", dice.next(2) == 0 ? "" : "l\(dice.next(3))")
        lanes[added] = lane.isEmpty ? nil : target + lane
        order.add(added, target: target, lane: lane, due: now + .seconds(Int(dice.next(3))))
      }
      order.wake(at: now)
      while let ticket = order.start() { underWay.append(ticket) }
      #expect(underWay.count <= 7 && order.underWay == underWay.count)
      for count in Dictionary(grouping: underWay, by: \.target).values { #expect(count.count <= 3) }
      if underWay.isEmpty || dice.next(4) == 0 { now = now + .seconds(1) }
      guard !underWay.isEmpty else { continue }
      let ticket = underWay.remove(at: Int(dice.next(UInt64(underWay.count))))
      if dice.next(4) == 0 {
        order.retry(ticket, due: now + .seconds(Int(dice.next(5))))
        continue
      }
      order.finish(ticket)
      #expect(delivered.insert(ticket.id).inserted)
      if let lane = lanes[ticket.id] {
        #expect(lastInLane[lane, default: 0] < ticket.id)
        lastInLane[lane] = ticket.id
      }
    }
    #expect(order.count == 0 && !order.isBusy && order.nextDue == nil)
  }

  private struct Dice {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
  }
}

@Suite struct OutboxTests {
  private struct StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { 4 }
  }

  private func open(_ path: String) throws -> (Outbox, Alarms) {
    let database = try Database(path: path)
    try database.migrate(Outbox.migrations)
    // Nothing rings but what the test moves the clock past.
    let alarms = Alarms(world: MovableWorld(StandingWorld(), offset: 0)) { _, _ in }
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return (try Outbox("test", database: database, alarms: alarms, log: log), alarms)
  }

  @Test func whatIsPutIsDeliveredAfterRetriesAndAfterARestart() async throws {
    let directory = "/tmp/martlet-test-outbox-\(RealWorld().random())"
    try Files.makeDirectory(directory)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = "\(directory)/martlet.db"
    do {
      let (outbox, _) = try open(path)
      try await outbox.put([
        .init(target: "a", body: Array("at once".utf8)),
        .init(target: "b", body: Array("tomorrow".utf8), due: StandingWorld().now() + .seconds(86400)),
      ])
      // Nobody runs it: the server dies here.
    }
    let (outbox, alarms) = try open(path)
    #expect(outbox.count == 2)
    let attempts = Mutex<[String]>([])
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    async let running: Void = outbox.run { parcel in
      begin.yield()
      attempts.withLock { $0.append("\(String(decoding: parcel.body, as: UTF8.self)) \(parcel.attempts)") }
      return parcel.attempts < 2 ? .again(after: .seconds(60)) : .over
    }
    for await _ in begun { break }
    _ = await alarms.move(patience: .seconds(30)) { $0 + .seconds(200) }
    #expect(attempts.withLock { $0 } == ["at once 0", "at once 1", "at once 2"])
    _ = await alarms.move(patience: .seconds(30)) { $0 + .seconds(90000) }
    #expect(attempts.withLock { $0 }.suffix(3) == ["tomorrow 0", "tomorrow 1", "tomorrow 2"])
    #expect(outbox.count == 0)
    outbox.stop()
    await running
    let (again, _) = try open(path)
    #expect(again.count == 0, "what is over is no longer on disk")
  }
}
