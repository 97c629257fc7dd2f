// One run of a node, from its start to when it is killed or stopped; the next one goes on with what lies on its disk.
import Glibc
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Testing

@testable import MartletCloud
@testable import MartletLambda

final class SimulatedNode: Sendable {
  static let account = "111111111111"
  let place: Place
  let directory: String
  let database: Database
  let alarms: Alarms
  let sqs: SQSService
  let functions: FunctionTable
  let resources: LambdaResources
  let events: EventQueue
  let pollers: Pollers
  let pretended: PretendedFunctions
  private let world: StandingWorld
  private let loops: [Task<Void, Never>]

  init(
    in directory: String, seed: UInt64, weather: PretendedFunctions.Weather, concurrency: Int, _ ledger: Ledger,
    at offset: Int64 = 0
  ) throws {
    self.directory = directory
    place = Place(account: try #require(Account(SimulatedNode.account)), region: try #require(Region("us-east-1")))
    let log = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    world = StandingWorld(seed: seed)
    database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(
      FunctionRecord.migrations + Documents.migrations + SQSService.migrations + EventTable.migrations)
    // Nothing rings but what the simulation moves the clock past.
    alarms = Alarms(world: MovableWorld(world, offset: offset)) { _, _ in }
    sqs = try SQSService(database: database, alarms: alarms, log: log)
    functions = try FunctionTable(database: database)
    resources = try LambdaResources(database: database, world: alarms.world, log: log)
    var limits = LambdaLimits()
    limits.concurrentExecutions = concurrency
    pretended = PretendedFunctions(
      functions, Admission(limits: limits, world: world), alarms, weather, ledger, seed: seed &+ 1)
    let door = Door(log: log)
    door.offer(SQS.SendMessage.self, by: sqs)
    door.offer(SQS.ReceiveMessage.self, by: sqs)
    door.offer(SQS.DeleteMessageBatch.self, by: sqs)
    door.offer(SQS.ChangeMessageVisibilityBatch.self, by: sqs)
    door.offer(SQS.GetQueueAttributes.self, by: sqs)
    events = try EventQueue(
      database: database, functions: functions, line: pretended, door: door, alarms: alarms, limits: limits, log: log)
    pollers = Pollers(
      resources: resources, functions: functions, line: pretended, door: door, alarms: alarms, log: log)
    let (resources, events, pollers) = (resources, events, pollers)
    loops = [Task { await resources.run() }, Task { await events.run() }, Task { await pollers.run() }]
  }

  /// Ends it in good order.
  func stop() async {
    events.stop()
    sqs.release()
    pollers.stop()
    resources.stop()
    pretended.die()
    for loop in loops { await loop.value }
    await sqs.stop()
  }

  /// Copies the disk as it is at a moment that nobody has chosen, and ends what is left of the node.
  func kill(into directory: String) async throws {
    let from = self.directory
    try await database.write { _ in
      for suffix in ["", "-wal"] where Files.exists("\(from)/martlet.db\(suffix)") {
        let bytes = try Files.read("\(from)/martlet.db\(suffix)")
        try bytes.withUnsafeBytes { raw in
          Result { () throws(Fault) in try Files.writeDurably(raw, to: "\(directory)/martlet.db\(suffix)") }
        }.get()
      }
    }
    pretended.die()
    await stop()
  }

  // MARK: - What there is

  func key(_ name: String) -> ResourceKey { ResourceKey(place: place, name: name) }
  func arn(_ queue: String) -> String { ARN(service: "sqs", place: place, resource: queue).description }

  func makeQueue(_ name: String, _ attributes: [String: String] = [:]) async throws {
    let (key, store) = (key(name), sqs.newStore())
    try await sqs.queues.change(key) { (queue: inout SQSQueue?) throws(AWSError) -> Void in
      queue = SQSQueue(key: key, store: store, created: 0, attributes: attributes)
    }
  }

  func makeFunction(_ name: String, _ change: @escaping @Sendable (inout FunctionRecord) -> Void = { _ in })
    async throws
  {
    let (place, id) = (place, RequestID(from: world))
    try await functions.change(key(name)) { (record: inout FunctionRecord?) throws(AWSError) -> Void in
      var configuration = FunctionConfiguration(
        place: place, name: name, role: "arn:aws:iam::\(SimulatedNode.account):role/r",
        code: CodePackage(key: "k", sha256: "s", size: 1, unpackedSize: 1), lastModified: Timestamp(nanoseconds: 0),
        revisionID: id, incarnation: id)
      configuration.state = .active
      configuration.timeout = 5
      var made = FunctionRecord(latest: configuration)
      change(&made)
      record = made
    }
  }

  func map(_ queue: String, to function: String, uuid: String, _ settings: [String: JSONValue]) async throws {
    let key = key(uuid)
    let source: EventSource = queue.hasSuffix(".fifo") ? .fifoQueue : .queue
    let (arn, now) = (arn(queue), alarms.world.now())
    let functionARN = ARN(service: "lambda", place: place, resource: "function:\(function)").description
    try await resources.eventSourceMappings.change(key) {
      (mapping: inout EventSourceMapping?) throws(AWSError) -> Void in
      mapping = EventSourceMapping(
        key: key, source: source, sourceARN: arn, functionARN: functionARN, isEnabled: true, state: .creating,
        lastModified: now, settings: settings)
    }
    resources.schedule(mapping: key)
    await resources.eventSourceMappings.wait(for: key) { $0?.state == .enabled }
  }

  /// Turns a mapping on or off, and waits until that is so.
  func turn(_ uuid: String, on isEnabled: Bool) async throws {
    let key = key(uuid)
    try await resources.eventSourceMappings.change(key) {
      (mapping: inout EventSourceMapping?) throws(AWSError) -> Void in
      mapping?.isEnabled = isEnabled
      mapping?.state = isEnabled ? .enabling : .disabling
    }
    resources.schedule(mapping: key)
    await resources.eventSourceMappings.wait(for: key) { $0?.state == (isEnabled ? .enabled : .disabled) }
  }

  func reserve(_ count: Int?, for function: String) async throws {
    try await functions.update(key(function)) { (record: inout FunctionRecord) throws(AWSError) -> Void in
      record.reservedConcurrency[""] = count.map { ReservedConcurrency(executions: $0) }
    }
  }

  // MARK: - What is sent

  func call() -> Call {
    Call(requestID: RequestID(from: world), place: place, caller: .anonymous, host: "h", traceHeader: nil)
  }

  func send(_ name: String, to queue: String, group: String? = nil) async throws {
    let reference = try #require(SQS.QueueReference(arn: arn(queue)))
    var message = SQS.Outgoing(body: #"{"name":"\#(name)"}"#)
    message.groupID = group
    message.deduplicationID = group == nil ? nil : "\(RequestID(from: world))"
    _ = try await SQS.SendMessage.answer(.init(queue: reference, message: message), call(), sqs)
  }

  func accept(_ name: String, for function: String) async throws {
    try await events.accept(
      Invocation(
        function: FunctionReference(key: key(function), qualifier: nil),
        payload: ByteBuffer(string: #"{"name":"\#(name)"}"#), requestID: RequestID(from: world)))
  }

  /// Moves the clock from alarm to alarm.
  func pass(_ duration: Duration) async {
    // Time must not pass before the node is up, however busy the host is.
    while !events.isRunning { await Task.yield() }
    let move = await alarms.move(patience: .seconds(60)) { $0 + duration }
    #expect(move.isSettled, "work goes on for ever")
  }

  /// Takes all messages of a queue out of it.
  func drain(_ queue: String) async throws -> [String] {
    let reference = try #require(SQS.QueueReference(arn: arn(queue)))
    var bodies: [String] = []
    while true {
      var input = SQS.ReceiveMessage.Input(queue: reference)
      input.count = 10
      let messages = try await SQS.ReceiveMessage.answer(input, call(), sqs).messages
      if messages.isEmpty {
        // What lies on disk is read while nobody waits for it: an empty answer need not be the end.
        if sqs.live.find(key(reference.name)).map({ $0.counts().visible == 0 }) ?? true { return bodies }
        await Task.yield()
        continue
      }
      bodies += messages.map(\.body)
      _ = try await SQS.DeleteMessageBatch.answer(
        .init(queue: reference, entries: messages.enumerated().map { ("\($0)", $1.receipt) }), call(), sqs)
    }
  }

  /// Messages in a queue, wherever they are.
  func count(_ queue: String) -> Int {
    let counts = sqs.live.find(key(queue))?.counts()
    return counts.map { $0.visible + $0.hidden + $0.delayed } ?? -1
  }
}
