// CloudWatch Logs in a process with a directory of its own, on a clock that the test moves.
import FoundationEssentials
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletCloud

final class LogsFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: LogsFixture.start) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  struct Answer {
    let status: Int
    let body: JSONValue
    let headers: [(name: String, value: String)]
    var stream: (any HTTPBodySource)?

    var code: String { body["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "" }
    var message: String { body["message"]?.string ?? "" }
  }

  /// What functions were sent.
  struct Invoked: Sendable {
    let function: String
    let payload: JSONValue
    let caller: Principal
  }

  final class Invocations: Sendable {
    let list = Mutex<[Invoked]>([])
  }

  /// Milliseconds since 1970, at which every fixture begins.
  static let start: Int64 = 1_800_000_000_000

  let directory: String
  let service: LogsService
  let alarms: Alarms
  let door: Door
  let invocations = Invocations()
  private let wire: TargetService<LogsService>
  let place: Place
  private let loops: Mutex<[Task<Void, Never>]>
  private let keepsDirectory: Bool

  /// - Parameter path: of another fixture's directory, to go on with what it left.
  init(in path: String? = nil, keeps: Bool = false, storage: ByteCount = .mebibytes(64)) throws {
    directory = try path ?? LogsFixture.newDirectory()
    keepsDirectory = keeps
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    self.place = place
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations + Outbox.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld(), offset: 0)) { _, _ in }
    let door = Door(log: log)
    self.door = door
    let service = try LogsService(
      database: database, root: "\(directory)/logs", alarms: alarms, door: door, log: log,
      limits: LogsService.Limits(storage: storage))
    self.service = service
    wire = TargetService(
      service, rows: LogsService.rows, version: "1.1", namespace: LogsService.namespace,
      violationCode: "InvalidParameterException", door: door)
    loops = Mutex([Task { await service.run() }, Task { await service.deliver() }])
    let invocations = invocations
    door.offer(Lambda.FindFunction.self) { (input, _) async throws(AWSError) -> Empty in
      if input.function.hasSuffix(":gone") {
        throw AWSError("ResourceNotFoundException", status: 404, "Function not found")
      }
      return Empty()
    }
    door.offer(Lambda.InvokeEvent.self) { (input, call) async throws(AWSError) -> Empty in
      if input.function.hasSuffix(":gone") {
        throw AWSError("ResourceNotFoundException", status: 404, "Function not found")
      }
      let payload = (try? JSONValue(parsing: input.payload)) ?? .null
      invocations.list.withLock { $0.append(Invoked(function: input.function, payload: payload, caller: call.caller)) }
      return Empty()
    }
  }

  deinit { if !keepsDirectory { _ = LogsFixture.remove(directory) } }

  static func newDirectory() throws -> String {
    let path = "/tmp/martlet-test-logs-\(RealWorld().random())"
    try Files.makeDirectory(path)
    return path
  }

  static func remove(_ path: String) -> Bool { (try? FileManager.default.removeItem(atPath: path)) != nil }

  /// Ends the loops; what was taken in is written.
  func stop() async {
    service.stop()
    for loop in loops.withLock({ $0 }) { await loop.value }
  }

  func call(_ operation: String, _ body: JSONValue) async throws -> Answer { try await call(operation, body.text) }

  func call(_ operation: String, _ body: String) async throws -> Answer {
    let request = HTTPRequest(
      method: .POST, uri: "/", headers: ["X-Amz-Target": "Logs_20140328.\(operation)"], body: ByteBuffer(string: body))
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
    let reply = await wire.answer(request, call)
    let body = reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: body, headers: reply.headers, stream: reply.stream)
  }

  /// The same, and it must succeed.
  @discardableResult
  func ask(_ operation: String, _ body: String) async throws -> JSONValue {
    let answer = try await call(operation, body)
    try #require(answer.status == 200, "\(operation) \(body.prefix(200)): \(answer.code) \(answer.message)")
    return answer.body
  }

  /// A group `g` with a stream `s`.
  func makeStream(_ group: String = "g", _ stream: String = "s") async throws {
    _ = try await call("CreateLogGroup", "{\"logGroupName\":\"\(group)\"}")
    try await ask("CreateLogStream", "{\"logGroupName\":\"\(group)\",\"logStreamName\":\"\(stream)\"}")
  }

  /// Puts events; times are milliseconds after the start.
  @discardableResult
  func put(
    _ events: [(time: Int64, text: String)], group: String = "g", stream: String = "s"
  ) async throws -> JSONValue {
    let list = JSONValue.array(
      events.map {
        .members(("timestamp", .integer(LogsFixture.start + $0.time)), ("message", .string($0.text)))
      })
    let body = JSONValue.members(
      ("logGroupName", .string(group)), ("logStreamName", .string(stream)), ("logEvents", list))
    return try await ask("PutLogEvents", body.text)
  }

  func texts(_ body: JSONValue) -> [String] { (body["events"]?.array ?? []).compactMap { $0["message"]?.string } }

  func advance(_ seconds: Int) async { _ = await alarms.move(patience: .seconds(10)) { $0 + .seconds(seconds) } }
}
