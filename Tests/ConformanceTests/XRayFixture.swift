// X-Ray in process: requests as clients send them, on a clock that the test moves.
import FoundationEssentials
import Glibc
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

final class XRayFixture: Sendable {
  struct Answer: Sendable {
    let status: Int
    let body: JSONValue
    let code: String
    var message: String { body["Message"]?.string ?? "" }
  }

  let service: XRayService
  let alarms: Alarms
  let place: Place
  private let wire: RESTService<XRayService>
  private let directory: String
  private let isOwner: Bool

  /// - Parameter directory: of an earlier fixture, whose traces are found again.
  init(directory: String? = nil, limits: XRayService.Limits = XRayService.Limits()) throws {
    isOwner = directory == nil
    self.directory = try directory ?? XRayFixture.newDirectory()
    place = Place(
      account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(self.directory)/martlet.db")
    try database.migrate(Documents.migrations)
    alarms = Alarms(world: MovableWorld(XRayWorld(), offset: 0)) { _, _ in }
    var limits = limits
    limits.patience = .zero
    service = try XRayService(
      database: database, path: "\(self.directory)/traces.db", alarms: alarms, log: log,
      limits: limits)
    wire = service.wireService(Door(log: log))
  }

  deinit { if isOwner { _ = try? FileManager.default.removeItem(atPath: directory) } }

  var path: String { directory }

  private static func newDirectory() throws -> String {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    return try template.withUnsafeMutableBufferPointer { buffer in
      let base = try #require(buffer.baseAddress)
      _ = try #require(mkdtemp(base))
      return String(cString: base)
    }
  }

  /// Runs `body` while the service runs.
  func running<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
    async let loop: Void = service.run()
    let result: Result<T, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    service.stop()
    await loop
    return try result.get()
  }

  func advance(_ seconds: Int) async {
    _ = await alarms.move(patience: .seconds(20)) { $0 + .seconds(seconds) }
  }

  func call(_ method: HTTPMethod, _ uri: String, _ body: String = "") async throws -> Answer {
    let request = HTTPRequest(
      method: method, uri: uri, headers: [:], body: ByteBuffer(string: body))
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous,
      host: "localhost:4566",
      traceHeader: nil)
    let reply = await wire.answer(request, call)
    let json =
      reply.body.readableBytes == 0 ? JSONValue.object([]) : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, body: json, code: reply.header("x-amzn-ErrorType") ?? "")
  }

  /// A call that must succeed.
  @discardableResult
  func post(_ uri: String, _ members: (name: String, value: JSONValue?)...) async throws
    -> JSONValue
  {
    let list = members.compactMap { member in member.value.map { JSONValue.Member(member.name, $0) }
    }
    let answer = try await call(.POST, uri, JSONValue.object(list).text)
    #expect(answer.status == 200, "\(answer.code) \(answer.message)")
    return answer.body
  }

  /// Seconds since 1970.
  var now: Double { Double(alarms.world.now().milliseconds) / 1000 }

  func traceID(_ number: Int, secondsAgo: Int = 0) -> String {
    let digits = String(number, radix: 16)
    let epoch = String(Int(now) - secondsAgo, radix: 16)
    return "1-\(epoch)-\(String(repeating: "0", count: 24 - digits.utf8.count) + digits)"
  }

  func put(_ documents: String...) async throws -> JSONValue {
    try await post(
      "/TraceSegments", ("TraceSegmentDocuments", .array(documents.map { .string($0) })))
  }
}

/// A clock that stands, with chance of its own.
private struct XRayWorld: World {
  func now() -> Timestamp { Timestamp(nanoseconds: 1_800_000_000_000_000_000) }
  func monotonic() -> UInt64 { 0 }
  func random() -> UInt64 { RealWorld().random() }
}
