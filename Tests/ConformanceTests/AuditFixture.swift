// CloudTrail in a process with a database in a directory of its own, buckets beside it, on a clock that the test moves.
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

final class AuditFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: AuditFixture.start) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  struct Answer {
    let status: Int
    let body: JSONValue

    var code: String { body["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "" }
    var message: String { body["message"]?.string ?? "" }
  }

  /// Milliseconds since 1970, at which every fixture begins: 2027-01-15T08:00:00Z.
  static let start: Int64 = 1_800_000_000_000

  let directory: String
  let service: CloudTrailService
  let iam: IAMService
  let alarms: Alarms
  let door: Door
  let place: Place
  private let isKept: Bool
  private let wire: TargetService<CloudTrailService>
  private let iamWire: QueryService<IAMService>
  /// What came into buckets, by `bucket/key`.
  let objects = Mutex<[String: [UInt8]]>([:])
  /// The buckets that are there.
  let buckets = Mutex<Set<String>>(["logs"])
  let published = Mutex<[String]>([])
  let events = Mutex<[EventBridge.PutEvents.Entry]>([])
  private let loop: Task<Void, Never>

  /// - Parameters:
  ///   - path: of another fixture's directory, to go on with what it left.
  ///   - isKept: leaves the directory to another fixture.
  init(
    in path: String? = nil, isKept: Bool = false, limits: CloudTrailService.Limits = CloudTrailService.Limits()
  ) async throws {
    self.isKept = isKept
    directory = try path ?? AuditFixture.newDirectory()
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld(), offset: 0)) { _, _ in }
    door = Door(log: log)
    service = try CloudTrailService(
      database: database, path: "\(directory)/audit.db", alarms: alarms, door: door, log: log, limits: limits)
    iam = try await IAMService(database: database, world: alarms.world)
    wire = TargetService(service, door: door)
    iamWire = QueryService(
      iam, rows: IAMService.rows, version: IAMService.version, namespace: IAMService.namespace, door: door)
    service.listen()
    loop = Task { [service] in await service.run() }
    offer()
  }

  private func offer() {
    door.offer(S3.GetObject.self) { [weak self] (input, _) async throws(AWSError) in
      let isThere = self?.buckets.withLock { $0.contains(input.bucket) } ?? false
      throw AWSError(isThere ? "NoSuchKey" : "NoSuchBucket", status: 404, "")
    }
    door.offer(S3.PutObject.self) { [weak self] (input, _) async throws(AWSError) in
      guard self?.buckets.withLock({ $0.contains(input.bucket) }) == true else {
        throw AWSError("NoSuchBucket", status: 404, "The specified bucket does not exist")
      }
      self?.objects.withLock { $0["\(input.bucket)/\(input.key)"] = Array(input.request.body.readableBytesView) }
      return .init(headers: [])
    }
    door.offer(EventBridge.PutEvents.self) { [weak self] (input, _) async throws(AWSError) in
      self?.events.withLock { $0 += input.entries }
      return .init(results: [])
    }
  }

  private static func newDirectory() throws -> String {
    let path = "/tmp/martlet-test-audit-\(RealWorld().random())"
    try Files.makeDirectory(path)
    return path
  }

  /// Ends the loop, when all is written.
  func close() async {
    service.stop()
    await loop.value
  }

  deinit {
    service.stop()
    if !isKept { try? FileManager.default.removeItem(atPath: directory) }
  }

  func newCall(_ caller: Principal = .accessKey("AKIATEST"), region: String = "us-east-1") -> Call {
    let place = Place(account: place.account, region: Region(region) ?? place.region)
    return Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: caller, host: "localhost:4566", traceHeader: nil)
  }

  private static let headers: HTTPHeaders = [
    "User-Agent": "test/1",
    "Authorization":
      "AWS4-HMAC-SHA256 Credential=AKIATEST/20270115/us-east-1/x/aws4_request, SignedHeaders=host, Signature=abcdef",
  ]

  func call(_ operation: String, _ body: String = "{}", region: String = "us-east-1") async throws -> Answer {
    var headers = AuditFixture.headers
    headers.add(
      name: "X-Amz-Target", value: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.\(operation)")
    let request = HTTPRequest(method: .POST, uri: "/", headers: headers, body: ByteBuffer(string: body))
    let reply = await wire.answer(request, newCall(region: region))
    let body = reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: body)
  }

  /// A call that must succeed.
  @discardableResult
  func done(
    _ operation: String, _ body: String = "{}", region: String = "us-east-1", _ place: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let answer = try await call(operation, body, region: region)
    #expect(answer.status == 200, "\(operation): \(answer.code) \(answer.message)", sourceLocation: place)
    return answer.body
  }

  /// A call of IAM.
  @discardableResult
  func iam(_ form: String, query: String = "") async -> HTTPReply {
    let request = HTTPRequest(
      method: .POST, uri: "/\(query)", headers: AuditFixture.headers,
      body: ByteBuffer(string: "\(form)&Version=2010-05-08"))
    return await iamWire.answer(request, newCall())
  }

  /// Events that LookupEvents shows, the latest first, with their records.
  func lookup(_ body: String = "{}", region: String = "us-east-1") async throws -> [(
    event: JSONValue, record: JSONValue
  )] {
    let answer = try await done("LookupEvents", body, region: region)
    return try (answer["Events"]?.array ?? []).map { event in
      (event, try JSONValue(parsing: event["CloudTrailEvent"]?.string ?? ""))
    }
  }

  func advance(_ seconds: Int) async {
    await service.settle()
    _ = await alarms.move(patience: .seconds(10)) { $0 + .seconds(seconds) }
  }

  /// The records of everything in the bucket.
  func delivered() throws -> [JSONValue] {
    try objects.withLock { $0 }.sorted { $0.key < $1.key }.flatMap { object in
      let text = try #require(GzipReader.unpack(ByteBuffer(bytes: object.value), limit: 1 << 24))
      return try JSONValue(parsing: String(decoding: text, as: UTF8.self))["Records"]?.array ?? []
    }
  }
}
