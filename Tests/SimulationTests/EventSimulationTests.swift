// Asynchronous events under random failures, throttles, slow functions, jumps of the clock and kills: every accepted
// event ends once, in success or at its destination.
import MartletCore
import MartletWire
import Synchronization
import Testing

@testable import MartletLambda

@Suite struct EventSimulationTests {
  @Test(arguments: 0..<8) func everyEventEnds(_ seed: UInt64) async throws {
    var dice = Dice(seed: seed &+ 1000)
    let (ledger, directories) = (Ledger(), TemporaryDirectories())
    defer { directories.remove() }
    let isKilled = seed % 2 == 1
    let concurrency = 1 + dice.roll(15)
    var weather = PretendedFunctions.Weather()
    weather.failure = 20 + dice.roll(50)
    weather.duration = dice.chance(50) ? 20_000 : 100
    func start(_ directory: String, at offset: Int64 = 0) throws -> SimulatedNode {
      try SimulatedNode(
        in: directory, seed: dice.next(), weather: weather, concurrency: concurrency, ledger, at: offset)
    }
    var node = try start(try directories.make())
    try await node.makeQueue("failures")
    let failures = node.arn("failures")
    try await node.makeFunction("f") { record in
      var config = EventInvokeConfig(lastModified: Timestamp(nanoseconds: 0))
      config.onFailure = failures
      record.eventInvokeConfigs["$LATEST"] = config
    }
    var names: [String] = []
    while names.count < 120 {
      for _ in 0...dice.roll(15) {
        names.append("e\(names.count)")
        try await node.accept(names[names.count - 1], for: "f")
      }
      await node.pass(.milliseconds(dice.chance(20) ? dice.roll(300_000) : dice.roll(5000)))
      if dice.chance(10) { try await node.reserve(dice.chance(50) ? 1 : nil, for: "f") }
      if isKilled, dice.chance(15) {
        let next = try directories.make()
        try await node.kill(into: next)
        ledger.state.withLock { $0.running = 0 }
        node = try start(next, at: node.alarms.world.offset)
      }
    }
    try await node.reserve(nil, for: "f")
    for _ in 0..<20 where node.events.census.waiting + node.events.census.underWay > 0 {
      await node.pass(.seconds(1800))
    }
    #expect(node.events.census == (0, 0), "seed \(seed)")

    let told = try await node.drain("failures").map { body in
      try #require(try JSONValue(parsing: body)["requestPayload"]?["name"]?.string)
    }
    let state = ledger.state.withLock { $0 }
    #expect(state.most <= concurrency, "seed \(seed): \(state.most) at once")
    for name in names {
      let ends = (state.succeeded[name] ?? 0) + told.count { $0 == name }
      #expect(isKilled ? ends >= 1 : ends == 1, "seed \(seed): \(name) ended \(ends) times")
      if !isKilled, told.contains(name) { #expect((state.failed[name] ?? 0) <= 3) }
    }
    await node.stop()
  }
}
