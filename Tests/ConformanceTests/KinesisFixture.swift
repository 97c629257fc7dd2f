// Kinesis in a process with a database in a directory of its own, on a clock that the test moves.
import FoundationEssentials
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

final class KinesisFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: KinesisFixture.start) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  struct Answer {
    let status: Int
    let body: JSONValue

    var code: String { body["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "" }
    var message: String { body["message"]?.string ?? "" }
  }

  /// Milliseconds since 1970, at which every fixture begins.
  static let start: Int64 = 1_800_000_000_000

  let directory: String
  let service: KinesisService
  let alarms: Alarms
  let door: Door
  let database: Database
  let place: Place
  private let wire: TargetService<KinesisService>
  private let isKept: Bool

  /// - Parameters:
  ///   - path: of another fixture's directory, to go on with what it left.
  ///   - isKept: leaves the directory to another fixture.
  init(in path: String? = nil, isKept: Bool = false) throws {
    self.isKept = isKept
    directory = try path ?? KinesisFixture.newDirectory()
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations + KinesisService.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld(), offset: 0)) { _, _ in }
    door = Door(log: log)
    service = try KinesisService(database: database, alarms: alarms, log: log)
    wire = TargetService(service, door: door)
    door.offer(Kinesis.PutRecord.self, by: service)
  }

  private static func newDirectory() throws -> String {
    let path = "/tmp/martlet-test-kinesis-\(RealWorld().random())"
    try Files.makeDirectory(path)
    return path
  }

  deinit { if !isKept { try? FileManager.default.removeItem(atPath: directory) } }

  func call(_ operation: String, _ body: String = "{}") async throws -> Answer {
    let request = HTTPRequest(
      method: .POST, uri: "/", headers: ["X-Amz-Target": "Kinesis_20131202.\(operation)"],
      body: ByteBuffer(string: body))
    let reply = await wire.answer(request, newCall())
    let body = reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: body)
  }

  func newCall() -> Call {
    Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
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

  /// A stream `s`.
  func makeStream(_ shards: Int = 1) async throws {
    try await done("CreateStream", #"{"StreamName":"s","ShardCount":\#(shards)}"#)
  }

  @discardableResult
  func put(_ text: String, key: String = "k") async throws -> (shard: String, sequence: String) {
    let data = Base64.encode(Array(text.utf8))
    let body = try await done("PutRecord", #"{"StreamName":"s","Data":"\#(data)","PartitionKey":"\#(key)"}"#)
    return (body["ShardId"]?.string ?? "", body["SequenceNumber"]?.string ?? "")
  }

  func iterator(_ type: String, shard: Int = 0, _ more: String = "") async throws -> String {
    let body = try await done(
      "GetShardIterator",
      #"{"StreamName":"s","ShardId":"\#(KinesisShard.id(shard))","ShardIteratorType":"\#(type)"\#(more)}"#)
    return body["ShardIterator"]?.string ?? ""
  }

  func records(_ iterator: String, limit: Int? = nil) async throws -> JSONValue {
    let more = limit.map { #","Limit":\#($0)"# } ?? ""
    return try await done("GetRecords", #"{"ShardIterator":"\#(iterator)"\#(more)}"#)
  }

  func texts(_ body: JSONValue) -> [String] {
    (body["Records"]?.array ?? []).compactMap { $0["Data"]?.string.flatMap { Base64.decode($0) } }
      .map { String(buffer: $0) }
  }

  /// What can be read of a shard from an iterator on.
  func texts(_ type: String, shard: Int = 0, _ more: String = "") async throws -> [String] {
    texts(try await records(iterator(type, shard: shard, more)))
  }

  func shards(_ more: String = "") async throws -> [JSONValue] {
    try await done("ListShards", #"{"StreamName":"s"\#(more)}"#)["Shards"]?.array ?? []
  }

  func advance(_ seconds: Int) async { _ = await alarms.move(patience: .seconds(10)) { $0 + .seconds(seconds) } }

  /// Rows in the database.
  func rows() throws -> Int {
    try database.read { try $0.rows("SELECT COUNT(*) AS n FROM kinesis_records").first?.integer("n") ?? -1 }
  }
}
