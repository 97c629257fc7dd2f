// Queues and mappings under random load, failures, throttles, slow functions, clock jumps and kills: every message
// ends, as often as it may; groups keep their order; permits never exceed limits.
import Glibc
import MartletCore
import MartletStore
import MartletWire
import Synchronization
import Testing

@testable import MartletLambda

@Suite struct QueueSimulationTests {
  private static let uuid = "00000000-0000-4000-8000-000000000001"

  private struct Plan {
    var isFIFO = false
    var kills = 0
    var switches = false
    var messages = 150
    var settings: [String: JSONValue] = [:]
    var weather = PretendedFunctions.Weather()
    var concurrency = 20
    /// More batches than this must not run at once.
    var most = 20
  }

  private func plan(_ seed: UInt64) -> Plan {
    var dice = Dice(seed: seed)
    var plan = Plan()
    plan.isFIFO = seed % 3 == 1
    plan.kills = seed % 4 == 3 ? 2 : 0
    plan.switches = seed % 5 == 2
    plan.concurrency = 1 + dice.roll(20)
    plan.most = plan.concurrency
    plan.weather.failure = dice.roll(40)
    plan.weather.duration = dice.chance(50) ? 3000 : 0
    let size = plan.isFIFO ? 1 + dice.roll(10) : 1 + dice.roll(60)
    plan.settings["BatchSize"] = .integer(Int64(size))
    plan.settings["MaximumBatchingWindowInSeconds"] = .integer(size > 10 ? 5 : 0)
    if dice.chance(50) {
      plan.settings["FunctionResponseTypes"] = .array([.string("ReportBatchItemFailures")])
      plan.weather.partial = 10
    }
    if dice.chance(30) {
      plan.settings["ScalingConfig"] = .members(("MaximumConcurrency", .integer(2)))
      plan.most = min(plan.most, 2)
    }
    return plan
  }

  @Test(arguments: 0..<12) func everyMessageEnds(_ seed: UInt64) async throws {
    let plan = plan(seed)
    let (queue, dead) = plan.isFIFO ? ("q.fifo", "dead.fifo") : ("q", "dead")
    var dice = Dice(seed: seed &+ 77)
    let (ledger, directories) = (Ledger(), TemporaryDirectories())
    defer { directories.remove() }
    func start(_ directory: String, at offset: Int64 = 0) throws -> SimulatedNode {
      try SimulatedNode(
        in: directory, seed: dice.next(), weather: plan.weather, concurrency: plan.concurrency, ledger, at: offset)
    }
    var node = try start(try directories.make())
    let kind = plan.isFIFO ? ["FifoQueue": "true"] : [:]
    try await node.makeQueue(dead, kind)
    let redrive = #"{"deadLetterTargetArn":"\#(node.arn(dead))","maxReceiveCount":4}"#
    try await node.makeQueue(queue, kind.merging(["VisibilityTimeout": "60", "RedrivePolicy": redrive]) { $1 })
    try await node.makeFunction("f")
    try await node.map(queue, to: "f", uuid: QueueSimulationTests.uuid, plan.settings)

    var names: [String] = []
    var kills = plan.kills
    while names.count < plan.messages {
      for _ in 0...dice.roll(20) {
        let group = plan.isFIFO ? "g\(dice.roll(4))" : nil
        let name = group.map { "\($0)/\(names.count)" } ?? "m\(names.count)"
        try await node.send(name, to: queue, group: group)
        names.append(name)
      }
      await node.pass(.milliseconds(dice.chance(20) ? dice.roll(200_000) : dice.roll(4000)))
      if plan.switches, dice.chance(20) {
        try await node.turn(QueueSimulationTests.uuid, on: false)
        ledger.state.withLock { $0.isClosed = true }
        await node.pass(.seconds(dice.roll(200)))
        ledger.state.withLock { $0.isClosed = false }
        try await node.turn(QueueSimulationTests.uuid, on: true)
      }
      if kills > 0, names.count > plan.messages / (kills + 1) {
        kills -= 1
        let next = try directories.make()
        try await node.kill(into: next)
        ledger.state.withLock { $0.running = 0 }
        node = try start(next, at: node.alarms.world.offset)
      }
    }
    for _ in 0..<40 where node.count(queue) > 0 { await node.pass(.seconds(120)) }
    #expect(node.count(queue) == 0, "seed \(seed): messages are left")
    try await check(names, Set(try await node.drain(dead)), ledger, plan, seed)
    await node.stop()
  }

  private func check(
    _ names: [String], _ dead: Set<String>, _ ledger: Ledger, _ plan: Plan, _ seed: UInt64
  ) async throws {
    let state = ledger.state.withLock { $0 }
    #expect(state.forbidden.isEmpty, "seed \(seed): invoked after the mapping was disabled")
    #expect(state.most <= plan.most, "seed \(seed): \(state.most) at once")
    for name in names {
      let ends = (state.succeeded[name] ?? 0) + (dead.contains(#"{"name":"\#(name)"}"#) ? 1 : 0)
      #expect(plan.kills == 0 ? ends == 1 : ends >= 1, "seed \(seed): \(name) ended \(ends) times")
    }
    guard plan.kills == 0 else { return }
    for (group, numbers) in state.order { #expect(numbers == numbers.sorted(), "seed \(seed): the order of \(group)") }
  }
}

/// Directories that go when the test says so: a database may be opened again at any time.
final class TemporaryDirectories {
  private var made: [String] = []

  func make() throws -> String {
    var template = Array("/tmp/martlet-simulation-XXXXXX".utf8CString)
    let path = try #require(mkdtemp(&template).map { String(cString: $0) })
    made.append(path)
    return path
  }

  func remove() {
    for path in made {
      for suffix in ["", "-wal", "-shm"] { unlink("\(path)/martlet.db\(suffix)") }
      rmdir(path)
    }
  }
}
