// SNS in a process, with queues and functions that the test plays, on a clock that the test moves.
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

final class SNSFixture: Sendable {
  /// A host whose clock stands still.
  private final class StandingWorld: World {
    func now() -> Timestamp { Timestamp(milliseconds: 1_800_000_000_000) }
    func monotonic() -> UInt64 { RealWorld().monotonic() }
    func random() -> UInt64 { RealWorld().random() }
  }

  typealias Answer = CloudFixture.Answer

  static let topic = "arn:aws:sns:us-east-1:111111111111:t"
  static let queue = "arn:aws:sqs:us-east-1:111111111111:q"
  static let function = "arn:aws:lambda:us-east-1:111111111111:function:f"

  let directory: String
  let service: SNSService
  let alarms: Alarms
  let door: Door
  private let wire: SNSWireService
  /// What queues were sent, and functions were invoked with.
  let sent = Mutex<[(queue: String, message: SQS.Outgoing)]>([])
  let invoked = Mutex<[(function: String, payload: String)]>([])
  /// What queues and functions answer, by name; nil = they take it.
  let refuses = Mutex<@Sendable (String) -> AWSError?>({ _ in nil })

  init() throws {
    // In memory where there is such a place: these tests commit often, and none of them needs the disk.
    let root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(root)/martlet-test-XXXXXX".utf8CString)
    let made = try #require(template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } })
    directory = String(cString: made)
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(Documents.migrations + SNSService.migrations + Outbox.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(StandingWorld())) { _, _ in }
    door = Door(log: log)
    service = try SNSService(database: database, door: door, alarms: alarms, log: log)
    wire = SNSWireService(service, door: door)
    door.offer(SQS.SendMessage.self) { [weak self] (input, _) async throws(AWSError) in
      try self?.refuse(input.queue.name)
      self?.sent.withLock { $0.append((input.queue.name, input.message)) }
      return .init(
        sent: .init(
          id: "i", bodyDigest: "", attributesDigest: nil, systemAttributesDigest: nil, sequenceNumber: nil))
    }
    door.offer(Lambda.InvokeEvent.self) { [weak self] (input, _) async throws(AWSError) in
      try self?.refuse(input.function)
      self?.invoked.withLock { $0.append((input.function, String(buffer: input.payload))) }
      return .init()
    }
  }

  deinit {
    for suffix in ["", "-wal", "-shm"] { unlink("\(directory)/martlet.db\(suffix)") }
    rmdir(directory)
  }

  private func refuse(_ name: String) throws(AWSError) {
    if let error = refuses.withLock({ $0 })(name) { throw error }
  }

  /// Runs the deliveries while `body` does.
  func running(_ body: () async throws -> Void) async throws {
    let service = service
    let loop = Task { await service.run() }
    // What is no message goes at once, as soon as the loop has begun.
    try await service.outbox.put([Parcel.Draft(target: "probe", body: [])])
    while service.waiting > 0 { await Task.yield() }
    do {
      try await body()
    } catch {
      service.stop()
      await loop.value
      throw error
    }
    service.stop()
    await loop.value
  }

  /// Moves the clock, and waits until nothing is under way.
  func advance(_ seconds: Int) async { _ = await alarms.move(patience: .seconds(20)) { $0 + .seconds(seconds) } }

  /// - Parameter form: further parameters, `Name=value`, not encoded.
  @discardableResult
  func call(
    _ action: String, _ form: [(String, String)] = [], account: String = "111111111111",
    caller: Principal = .accessKey("k")
  ) async throws -> Answer {
    let pairs = [("Action", action)] + form
    let body = pairs.map { "\(Percent.encode($0.0))=\(Percent.encode($0.1))" }.joined(separator: "&")
    return try await send(body, account: account, caller: caller)
  }

  func send(_ body: String, account: String = "111111111111", caller: Principal = .accessKey("k")) async throws
    -> Answer
  {
    let request = HTTPRequest(method: .POST, uri: "/", headers: [:], body: ByteBuffer(string: body))
    let place = Place(account: try #require(Account(account)), region: try #require(Region("us-east-1")))
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: caller, host: "localhost:4566", traceHeader: nil)
    let reply = await wire.answer(request, call)
    return Answer(status: reply.status, text: String(buffer: reply.body))
  }

  /// `Attributes.entry.1.key=…`
  static func attributes(_ pairs: [(String, String)]) -> [(String, String)] {
    pairs.enumerated().flatMap { i, pair in
      [("Attributes.entry.\(i + 1).key", pair.0), ("Attributes.entry.\(i + 1).value", pair.1)]
    }
  }

  /// Subscribes, and returns the ARN.
  func subscribe(
    _ channel: String, _ endpoint: String, _ attributes: [(String, String)] = [], topic: String = SNSFixture.topic
  ) async throws -> String {
    let answer = try await call(
      "Subscribe",
      [("TopicArn", topic), ("Protocol", channel), ("Endpoint", endpoint), ("ReturnSubscriptionArn", "true")]
        + SNSFixture.attributes(attributes))
    #expect(answer.status == 200, "\(answer.text)")
    return try #require(answer.element("SubscriptionArn"))
  }
}
