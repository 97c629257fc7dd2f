// EventBridge Scheduler in a process with a database of its own, targets that write down what they get, and a clock
// that the test moves.
import Glibc
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletCloud

final class SchedulerFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    func now() -> Timestamp { SchedulerFixture.start }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  /// 2027-01-15T08:00:00Z
  static let start = Timestamp(milliseconds: 1_800_000_000_000)

  struct Answer {
    let status: Int
    let body: JSONValue
    let code: String
    var message: String { body["Message"]?.string ?? "" }
  }

  /// Something that a target got.
  struct Delivery: Sendable, Equatable {
    let at: String
    /// Of what kind, and for whom.
    let target: String
    let body: String
    var attributes: [String: String] = [:]
    var group: String?

    var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
  }

  private struct State {
    var deliveries: [Delivery] = []
    /// What targets answer from now on, the first one first; then they accept.
    var refusals: [AWSError] = []
    /// What queues answer to dead letters.
    var isQueueGone = false
  }

  let path: String
  let service: SchedulerService
  let alarms: Alarms
  private let wire: RESTService<SchedulerService>
  private let place: Place
  private let state = Mutex(State())
  private let isOwner: Bool

  /// - Parameters:
  ///   - path: of another fixture's database, to go on with what it left.
  ///   - offset: seconds after `start`.
  init(in path: String? = nil, at offset: Int64 = 0) throws {
    self.path = try path ?? SchedulerFixture.newPath()
    isOwner = path == nil
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: self.path)
    try database.migrate(Documents.migrations + Outbox.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld(), offset: offset * 1_000_000_000)) { _, _ in }
    let door = Door(log: log)
    service = try SchedulerService(database: database, alarms: alarms, door: door, log: log)
    wire = RESTService(service, rows: SchedulerService.rows, door: door, messageKey: .upper)
    offer(door)
  }

  deinit {
    guard isOwner else { return }
    for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
  }

  private static func newPath() throws -> String {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    close(mkstemp(&template))
    return try template.withUnsafeBufferPointer { try #require($0.baseAddress.map { String(cString: $0) }) }
  }

  private func offer(_ door: Door) {
    door.offer(Lambda.InvokeEvent.self) { [self] (input, _) async throws(AWSError) in
      try accept("lambda \(input.function)", String(buffer: input.payload))
      return Empty()
    }
    door.offer(SNS.Publish.self) { [self] (input, _) async throws(AWSError) in
      try accept("sns \(input.topic ?? "")", input.outgoing.message)
      return .init(.init(id: "m"))
    }
    door.offer(EventBridge.PutEvents.self) { [self] (input, _) async throws(AWSError) in
      for entry in input.entries {
        try accept("events \(entry.bus ?? "") \(entry.source) \(entry.detailType)", entry.detail)
      }
      return .init(results: input.entries.map { _ in .put(id: "e") })
    }
    door.offer(SQS.SendMessage.self) { [self] (input, _) async throws(AWSError) in
      let attributes = Dictionary(input.message.attributes.map { ($0.name, $0.string ?? "") }, uniquingKeysWith: { $1 })
      if attributes.isEmpty {
        try accept("sqs \(input.queue.name)", input.message.body, group: input.message.groupID)
      } else {
        if state.withLock({ $0.isQueueGone }) { throw .sqsNoQueue() }
        write("dead \(input.queue.name)", input.message.body, attributes)
      }
      return .init(
        sent: .init(
          id: "m", bodyDigest: "", attributesDigest: nil, systemAttributesDigest: nil, sequenceNumber: nil))
    }
  }

  private func accept(_ target: String, _ body: String, group: String? = nil) throws(AWSError) {
    if let refusal = state.withLock({ $0.refusals.isEmpty ? nil : $0.refusals.removeFirst() }) {
      write("refused", body)
      throw refusal
    }
    write(target, body, group: group)
  }

  private func write(_ target: String, _ body: String, _ attributes: [String: String] = [:], group: String? = nil) {
    let now = alarms.world.now().iso8601Seconds
    state.withLock {
      $0.deliveries.append(
        Delivery(at: now, target: target, body: body, attributes: attributes, group: group))
    }
  }

  var deliveries: [Delivery] { state.withLock { $0.deliveries } }
  func refuse(_ errors: [AWSError]) { state.withLock { $0.refusals = errors } }
  func loseQueues() { state.withLock { $0.isQueueGone = true } }

  /// Runs `body` while the service runs.
  func running(_ body: @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.service.run() }
      let result: Result<Void, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      service.stop()
      try await group.waitForAll()
      try result.get()
    }
  }

  func advance(_ seconds: Int) async {
    _ = await alarms.move(patience: .seconds(20)) { $0 + .seconds(seconds) }
  }

  // MARK: - Calls

  func call(_ method: HTTPMethod, _ uri: String, _ body: String = "") async throws -> Answer {
    let request = HTTPRequest(method: method, uri: uri, headers: [:], body: ByteBuffer(string: body))
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
    let reply = await wire.answer(request, call)
    let json = reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: json, code: reply.header("x-amzn-ErrorType") ?? "")
  }

  static let function = "arn:aws:lambda:us-east-1:111111111111:function:f"
  static let role = "arn:aws:iam::111111111111:role/r"

  /// The body of CreateSchedule.
  static func body(
    _ expression: String, target: String = function, _ more: [String: JSONValue] = [:],
    targetMembers: [String: JSONValue] = [:]
  ) -> String {
    var members: [String: JSONValue] = [
      "ScheduleExpression": .string(expression), "FlexibleTimeWindow": .members(("Mode", .string("OFF"))),
      "Target": .object(
        [.init("Arn", .string(target)), .init("RoleArn", .string(role))]
          + targetMembers.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }),
    ]
    members.merge(more) { $1 }
    return JSONValue.object(members.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }).text
  }

  @discardableResult
  func create(
    _ name: String, _ expression: String, target: String = function, _ more: [String: JSONValue] = [:],
    targetMembers: [String: JSONValue] = [:]
  ) async throws -> Answer {
    let answer = try await call(
      .POST, "/schedules/\(name)",
      SchedulerFixture.body(expression, target: target, more, targetMembers: targetMembers))
    #expect(answer.status == 200, "\(answer.code) \(answer.message)")
    return answer
  }
}
