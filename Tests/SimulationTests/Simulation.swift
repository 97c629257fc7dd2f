// A node without sandboxes on simulated time: real queues, real pollers, real events, functions that pretend.
import Glibc
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization
import Testing

@testable import MartletCloud
@testable import MartletLambda

/// A host whose clock stands still: time passes when the simulation says so.
final class StandingWorld: World {
  private let dice: Mutex<Dice>

  init(seed: UInt64) { dice = Mutex(Dice(seed: seed)) }

  func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }
  func monotonic() -> UInt64 { RealWorld().monotonic() }
  func random() -> UInt64 { dice.withLock { $0.next() } }
}

/// Random numbers that a seed brings back.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func roll(_ sides: Int) -> Int { Int(next() % UInt64(sides)) }
  mutating func chance(_ percent: Int) -> Bool { roll(100) < percent }
}

/// What happened to things, by their names. It outlives the nodes.
final class Ledger: Sendable {
  struct State {
    var succeeded: [String: Int] = [:]
    var failed: [String: Int] = [:]
    /// By group, in the order in which they succeeded.
    var order: [String: [Int]] = [:]
    var running = 0
    var most = 0
    var invocations = 0
    /// Invocations that began although they must not have.
    var forbidden: [String] = []
    /// Nobody may be invoked.
    var isClosed = false
  }

  let state = Mutex(State())
}

/// Stands in for the line: admission is real, environments are dice.
final class PretendedFunctions: FunctionRunner {
  /// Percents.
  struct Weather: Sendable {
    var failure = 20
    var partial = 0
    var platformFailure = 3
    /// The longest that a function runs, in milliseconds.
    var duration = 2000
  }

  private struct State {
    var dice: Dice
    var isDead = false
    var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
    var last = 0
  }

  private let functions: FunctionTable
  private let admission: Admission
  private let alarms: Alarms
  private let weather: Weather
  private let ledger: Ledger
  private let state: Mutex<State>

  init(
    _ functions: FunctionTable, _ admission: Admission, _ alarms: Alarms, _ weather: Weather, _ ledger: Ledger,
    seed: UInt64
  ) {
    self.functions = functions
    self.admission = admission
    self.alarms = alarms
    self.weather = weather
    self.ledger = ledger
    state = Mutex(State(dice: Dice(seed: seed)))
  }

  func check(_ function: FunctionReference, tenant: String?) throws(AWSError) {}

  func invoke(_ invocation: Invocation) async throws(AWSError) -> Reply {
    guard let record = functions.find(invocation.function.key), let configuration = record.invocable(.latest) else {
      throw .functionNotFound(invocation.function.arn)
    }
    let permit: Permit
    do throws(ThrottleReason) {
      permit = try admission.admit(
        Resolved(configuration, record, setAside: functions.figures(invocation.function.key.place).setAside),
        provisioned: 0)
    } catch {
      throw .throttled(error)
    }
    let (duration, luck, isDead) = state.withLock { state in
      (state.dice.roll(weather.duration + 1), state.dice.roll(100), state.isDead)
    }
    if isDead || luck >= 100 - weather.platformFailure { throw .service("the platform failed") }
    let things = Thing.all(in: invocation.payload)
    ledger.state.withLock { state in
      if state.isClosed { state.forbidden += things.map(\.name) }
      state.running += 1
      state.most = max(state.most, state.running)
      state.invocations += 1
    }
    await sleep(.milliseconds(duration))
    ledger.state.withLock { $0.running -= 1 }
    _ = consume permit
    return try end(things, luck, configuration.version)
  }

  private func end(_ things: [Thing], _ luck: Int, _ version: VersionName) throws(AWSError) -> Reply {
    let (isDead, partial) = state.withLock { state in
      (state.isDead, things.filter { _ in state.dice.chance(weather.partial) })
    }
    // What a server that was killed was told in its last moment, nobody knows.
    if isDead { throw .service("the server was killed") }
    var reply = Reply(payload: ByteBuffer(string: "null"), executedVersion: version, traceHeader: "Root=1-0-0")
    guard luck >= weather.failure else {
      ledger.state.withLock { state in for thing in things { state.failed[thing.name, default: 0] += 1 } }
      reply.functionError = "Unhandled"
      return reply
    }
    // Of a group, what comes after the first failure has failed as well, as AWS advises.
    var bad: Set<String> = []
    var stopped: Set<String> = []
    for thing in things where stopped.contains(thing.group ?? thing.name) || partial.contains(thing) {
      bad.insert(thing.id)
      stopped.insert(thing.group ?? thing.name)
    }
    ledger.state.withLock { state in
      for thing in things {
        guard !bad.contains(thing.id) else {
          state.failed[thing.name, default: 0] += 1
          continue
        }
        state.succeeded[thing.name, default: 0] += 1
        if let group = thing.group { state.order[group, default: []].append(thing.number) }
      }
    }
    if !bad.isEmpty {
      let items = bad.map { JSONValue.members(("itemIdentifier", .string($0))) }
      reply.payload = ByteBuffer(string: JSONValue.members(("batchItemFailures", .array(items))).text)
    }
    return reply
  }

  /// Waits for the clock, which must not wait for it.
  private func sleep(_ duration: Duration) async {
    guard duration > .zero else { return }
    await withCheckedContinuation { continuation in
      let number = state.withLock { state -> Int? in
        guard !state.isDead else { return nil }
        state.last += 1
        state.sleepers[state.last] = continuation
        return state.last
      }
      guard let number else { return continuation.resume() }
      alarms.set(at: alarms.world.now() + duration) { self.wake(number) }
      alarms.end()
    }
  }

  private func wake(_ number: Int) {
    guard let sleeper = state.withLock({ $0.sleepers.removeValue(forKey: number) }) else { return }
    alarms.begin()
    sleeper.resume()
  }

  /// The server is killed: nothing that runs has an effect any more.
  func die() {
    let sleepers = state.withLock { state in
      state.isDead = true
      return Array(state.sleepers.keys)
    }
    for number in sleepers { wake(number) }
  }
}

/// A message or an event as functions see it. `name` tells it from others; of a group it is `group/number`.
struct Thing: Hashable, Sendable {
  let id: String
  let name: String

  var group: String? { name.split(separator: "/").count == 2 ? String(name.split(separator: "/")[0]) : nil }
  var number: Int { name.split(separator: "/").last.flatMap { Int($0) } ?? 0 }

  static func all(in payload: ByteBuffer) -> [Thing] {
    guard let json = try? JSONValue(parsing: payload) else { return [] }
    if let name = json["name"]?.string { return [Thing(id: name, name: name)] }
    return (json["Records"]?.array ?? []).compactMap { record in
      guard let body = record["body"]?.string, let name = (try? JSONValue(parsing: body))?["name"]?.string else {
        return nil
      }
      return Thing(id: record["messageId"]?.string ?? "", name: name)
    }
  }
}
