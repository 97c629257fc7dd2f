// EventBridge in a process with a database in a directory of its own, on a clock that the test moves. Its targets are
// the test's: what they get is noted, and they refuse what the test wants.
import Foundation
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletCloud

final class EventBridgeFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  struct Answer {
    let status: Int
    let body: JSONValue

    var code: String { body["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "" }
    var message: String { body["message"]?.string ?? "" }
  }

  /// Something that a target got.
  struct Arrival: Sendable {
    let target: String
    let payload: String
    let attributes: [String: String]
    let group: String?
    let call: Call
  }

  private struct State {
    var arrivals: [Arrival] = []
    /// By target: what it answers.
    var refusals: [String: AWSError] = [:]
    var attempts = 0
  }

  let directory: String
  let service: EventBridgeService
  let schedules: RuleSchedules
  let alarms: Alarms
  let place: Place
  private let wire: TargetService<EventBridgeService>
  private let state = Mutex(State())
  private let isKept: Bool

  /// - Parameters:
  ///   - path: of another fixture's directory, to go on with what it left.
  ///   - isKept: leaves the directory to another fixture.
  init(in path: String? = nil, at offset: Int64 = 0, isKept: Bool = false) throws {
    self.isKept = isKept
    directory = try path ?? EventBridgeFixture.newDirectory()
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations + Outbox.migrations + EventBridgeService.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld(), offset: offset)) { _, _ in }
    let door = Door(log: log)
    let schedules = try RuleSchedules(database: database, alarms: alarms, log: log)
    self.schedules = schedules
    service = try EventBridgeService(
      database: database, door: door, alarms: alarms, log: log, observer: { schedules.heard($0, $1) })
    wire = TargetService(service, door: door)
    door.offer(Lambda.InvokeEvent.self) { [weak self] (input, call) async throws(AWSError) in
      try self?.arrive(input.function, String(buffer: input.payload), call)
      return Empty()
    }
    door.offer(SNS.Publish.self) { [weak self] (input, call) async throws(AWSError) in
      try self?.arrive("topic", "\(input)", call)
      throw AWSError("NotFound", status: 404, "Topic does not exist")
    }
    door.offer(SQS.SendMessage.self) { [weak self] (input, call) async throws(AWSError) in
      let attributes = input.message.attributes + input.message.systemAttributes
      try self?.arrive(
        input.queue.name, input.message.body, call, group: input.message.groupID,
        Dictionary(uniqueKeysWithValues: attributes.map { ($0.name, $0.string ?? "") }))
      return .init(
        sent: .init(
          id: "m", bodyDigest: "", attributesDigest: nil, systemAttributesDigest: nil, sequenceNumber: nil))
    }
  }

  private static func newDirectory() throws -> String {
    let path = "/tmp/martlet-test-events-\(RealWorld().random())"
    try Files.makeDirectory(path)
    return path
  }

  deinit { if !isKept { try? FileManager.default.removeItem(atPath: directory) } }

  private func arrive(
    _ target: String, _ payload: String, _ call: Call, group: String? = nil, _ attributes: [String: String] = [:]
  ) throws(AWSError) {
    let refusal = state.withLock { state -> AWSError? in
      state.attempts += 1
      if let refusal = state.refusals[target] { return refusal }
      state.arrivals.append(
        Arrival(target: target, payload: payload, attributes: attributes, group: group, call: call))
      return nil
    }
    if let refusal { throw refusal }
  }

  func refuse(_ target: String, _ error: AWSError?) { state.withLock { $0.refusals[target] = error } }

  /// What targets got so far, which is forgotten then.
  func arrivals() -> [Arrival] {
    state.withLock { state in
      defer { state.arrivals = [] }
      return state.arrivals
    }
  }

  var attempts: Int { state.withLock { $0.attempts } }

  func call(_ operation: String, _ body: String = "{}") async throws -> Answer {
    let request = HTTPRequest(
      method: .POST, uri: "/", headers: ["X-Amz-Target": "AWSEvents.\(operation)"], body: ByteBuffer(string: body))
    let reply = await wire.answer(request, newCall())
    let body = reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: body)
  }

  /// A call that must succeed.
  @discardableResult
  func done(_ operation: String, _ body: String = "{}", _ place: SourceLocation = #_sourceLocation) async throws
    -> JSONValue
  {
    let answer = try await call(operation, body)
    #expect(answer.status == 200, "\(operation): \(answer.code) \(answer.message)", sourceLocation: place)
    return answer.body
  }

  func newCall(trace: String? = nil) -> Call {
    Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: trace)
  }

  /// Runs the loop while `body` runs.
  func serving<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    async let running: Void = service.run()
    async let firing: Void = schedules.run(service)
    // What cannot be read is dropped: once it is, the loop is at work.
    try await service.outbox.put([.init(target: "probe", body: [])])
    while service.outbox.count(of: "probe") > 0 { await Task.yield() }
    do {
      let value = try await body()
      schedules.stop()
      service.stop()
      await running
      await firing
      return value
    } catch {
      schedules.stop()
      service.stop()
      await running
      await firing
      throw error
    }
  }

  /// Moves the clock; when this returns, what was due and what was on its way has been done.
  func advance(_ seconds: Int) async { _ = await alarms.move(patience: .seconds(10)) { $0 + .seconds(seconds) } }
}
