// SQS in a process with a database in a directory of its own, on a clock that the test moves.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletCloud

final class SQSFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    private let dice = Mutex(RealWorld().random())
    func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  struct Answer {
    let status: Int
    let body: JSONValue
    let headers: [(name: String, value: String)]

    var code: String { body["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "" }
    var message: String { body["message"]?.string ?? "" }
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
  }

  let directory: String
  let service: SQSService
  let alarms: Alarms
  private let wire: SQSWireService
  private let place: Place

  /// - Parameters:
  ///   - path: of another fixture's directory, to go on with what it left.
  ///   - window: messages in memory for each queue.
  init(in path: String? = nil, window: Int = 10_000, memory: ByteCount = .mebibytes(1), at offset: Int64 = 0) throws {
    directory = try path ?? SQSFixture.newDirectory()
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations + SQSService.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld(), offset: offset)) { _, _ in }
    service = try SQSService(database: database, alarms: alarms, log: log, memory: memory, window: window)
    wire = SQSWireService(service, door: Door(log: log))
  }

  private static func newDirectory() throws -> String {
    let path = "/tmp/martlet-test-sqs-\(RealWorld().random())"
    try Files.makeDirectory(path)
    return path
  }

  func call(_ operation: String, _ body: JSONValue) async throws -> Answer {
    try await call(operation, body.text)
  }

  func call(_ operation: String, _ body: String) async throws -> Answer {
    let request = HTTPRequest(
      method: .POST, uri: "/", headers: ["X-Amz-Target": "AmazonSQS.\(operation)"], body: ByteBuffer(string: body))
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
    let reply = await wire.answer(request, call)
    let body = reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: body, headers: reply.headers)
  }

  func advance(_ seconds: Int) async { _ = await alarms.move(patience: .seconds(10)) { $0 + .seconds(seconds) } }
}
