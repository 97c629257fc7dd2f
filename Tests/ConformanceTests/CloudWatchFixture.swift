// CloudWatch in a process with a database in a directory of its own, on a clock that the test moves.
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

final class CloudWatchFixture: Sendable {
  /// A host whose clock stands still.
  private struct StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  enum Wire: Sendable, CaseIterable { case json, cbor, query }

  struct Answer {
    let status: Int
    let body: JSONValue
    let text: String
    let headers: [(name: String, value: String)]

    var code: String { body["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "" }
    var message: String { body["message"]?.string ?? body["Message"]?.string ?? "" }
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
  }

  let directory: String
  let service: CloudWatchService
  let alarms: Alarms
  let door: Door
  let place: Place
  private let wire: CloudWatchWireService
  private let ownsDirectory: Bool

  /// Where the clock stands at the beginning, in seconds since 1970: a whole minute.
  static let start: Int64 = 1_800_000_000

  /// - Parameter path: of another fixture's directory, to go on with what it left.
  init(in path: String? = nil) throws {
    ownsDirectory = path == nil
    directory = path ?? "/tmp/martlet-test-cloudwatch-\(RealWorld().random())"
    try Files.makeDirectory(directory)
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations + Outbox.migrations + CloudWatchService.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld())) { _, _ in }
    door = Door(log: log)
    service = try CloudWatchService(database: database, door: door, alarms: alarms, log: log)
    wire = CloudWatchWireService(service, door: door)
  }

  deinit {
    guard ownsDirectory else { return }
    for name in ["martlet.db", "martlet.db-wal", "martlet.db-shm"] { unlink("\(directory)/\(name)") }
    rmdir(directory)
  }

  func call(_ operation: String, _ body: String, _ wire: Wire = .json) async throws -> Answer {
    try await call(operation, try JSONValue(parsing: body), wire)
  }

  func call(_ operation: String, _ body: JSONValue, _ wire: Wire = .json) async throws -> Answer {
    let request: HTTPRequest
    switch wire {
    case .json:
      request = HTTPRequest(
        method: .POST, uri: "/", headers: ["X-Amz-Target": "GraniteServiceVersion20100801.\(operation)"],
        body: ByteBuffer(string: body.text))
    case .cbor:
      var writer = JSONWriter(isBinary: true)
      writer.value(body)
      request = HTTPRequest(
        method: .POST, uri: "/service/GraniteServiceVersion20100801/operation/\(operation)",
        headers: ["smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"], body: writer.buffer)
    case .query:
      let members = (body.members ?? []).map { "&\(CloudWatchFixture.form($0.name, $0.value))" }.joined()
      request = HTTPRequest(
        method: .POST, uri: "/", headers: ["Content-Type": "application/x-www-form-urlencoded"],
        body: ByteBuffer(string: "Action=\(operation)&Version=2010-08-01\(members)"))
    }
    return try await send(request, wire)
  }

  func send(_ request: HTTPRequest, _ wire: Wire) async throws -> Answer {
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
    let reply = await self.wire.answer(request, call)
    var body = JSONValue.object([])
    if reply.body.readableBytes > 0, wire != .query {
      body = try wire == .cbor ? JSONValue(cbor: reply.body) : JSONValue(parsing: reply.body)
    }
    return Answer(status: reply.status, body: body, text: String(buffer: reply.body), headers: reply.headers)
  }

  /// `MetricData.member.1.Value=1`
  private static func form(_ name: String, _ value: JSONValue) -> String {
    switch value {
    case .array(let elements):
      elements.enumerated().map { form("\(name).member.\($0 + 1)", $1) }.joined(separator: "&")
    case .object(let members): members.map { form("\(name).\($0.name)", $0.value) }.joined(separator: "&")
    default:
      "\(name)=\((value.string ?? value.text).split(separator: "+").joined(separator: "%2B"))"
    }
  }

  func advance(_ seconds: Int) async { _ = await alarms.move(patience: .seconds(10)) { $0 + .seconds(seconds) } }

  /// Puts values of a metric now.
  func put(_ name: String, _ values: [Double], dimensions: [String: String] = [:], unit: String = "Count") async throws
  {
    let pairs = dimensions.map { #"{"Name":"\#($0.key)","Value":"\#($0.value)"}"# }.joined(separator: ",")
    let answer = try await call(
      "PutMetricData",
      #"{"Namespace":"Shop","MetricData":[{"MetricName":"\#(name)","Values":\#(values),"Unit":"\#(unit)","Dimensions":[\#(pairs)]}]}"#
    )
    #expect(answer.status == 200, "\(answer.message)")
  }

  /// The sums of a metric of `Shop` by minute, since the start.
  func sums(_ name: String, until: Int64 = 3600) async throws -> [Double] {
    let answer = try await call(
      "GetMetricStatistics",
      #"{"Namespace":"Shop","MetricName":"\#(name)","StartTime":\#(CloudWatchFixture.start),"EndTime":\#(CloudWatchFixture.start + until),"Period":60,"Statistics":["Sum"]}"#
    )
    #expect(answer.status == 200, "\(answer.message)")
    return answer.body["Datapoints"]?.array?.compactMap { $0["Sum"]?.number } ?? []
  }
}
