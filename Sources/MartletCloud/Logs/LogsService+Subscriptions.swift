// Sending events on: what a subscription filter matches becomes an event of a function, a record of a stream, or (which
// AWS has not) a message of a queue, delivered at least once.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension LogsService {
  /// Bytes of the texts of one delivery, so that it fits into an asynchronous invocation.
  private static let parcelSize = 180_000
  /// AWS tries for a day.
  private static let patience = Duration.seconds(86_400)

  /// Refuses what nothing can be sent to. A stream gets a message by which that is seen.
  func check(_ filter: SubscriptionFilter, _ call: Call) async throws(AWSError) {
    guard let arn = ARN(filter.destination) else {
      throw .logsInvalid("destinationArn must be the ARN of a function, a stream or a queue: \(filter.destination)")
    }
    switch arn.service {
    case "lambda" where arn.resource.hasPrefix("function:"):
      do throws(AWSError) {
        _ = try await door.call(Lambda.FindFunction.self, .init(function: filter.destination), call)
      } catch {
        guard error.status < 500 else { throw error }
        throw .logsInvalid(
          "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
        )
      }
    case "kinesis" where arn.resource.hasPrefix("stream/"):
      guard filter.role != nil else { throw .logsInvalid("roleArn is required for a destination of Kinesis.") }
      do throws(AWSError) {
        try await put(
          Gzip.stored(Array(controlMessage.text.utf8)), key: randomHex(16, from: world), filter.destination,
          call.by("logs.amazonaws.com"))
      } catch {
        guard error.status < 500 else { throw error }
        throw .logsInvalid(
          "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state."
        )
      }
    case "sqs":
      do throws(AWSError) {
        guard let queue = SQS.QueueReference(arn: filter.destination) else { throw .logsInvalid("no queue") }
        _ = try await door.call(SQS.GetQueueAttributes.self, .init(queue: queue, names: ["QueueArn"]), call)
      } catch {
        guard error.status < 500 else { throw error }
        throw .logsInvalid("Could not find the queue \(filter.destination).")
      }
    default: throw .notImplemented("a subscription filter whose destination is \(arn.service)")
    }
  }

  private var controlMessage: JSONValue {
    let event: JSONValue = .members(
      ("id", .string("")), ("timestamp", .integer(now)),
      ("message", .string("CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.")))
    return .members(
      ("messageType", .string("CONTROL_MESSAGE")), ("owner", .string("CloudwatchLogs")), ("logGroup", .string("")),
      ("logStream", .string("")), ("subscriptionFilters", .array([])), ("logEvents", .array([event])))
  }

  private func put(_ data: ByteBuffer, key: String, _ stream: String, _ call: Call) async throws(AWSError) {
    _ = try await door.call(
      Kinesis.PutRecord.self, .init(stream: .init(arn: stream), record: .init(data: data, partitionKey: key)), call)
  }

  /// Puts what subscriptions want on its way.
  func passOn(_ written: [(LogStream, LogBatch)], of group: LogGroup) async {
    guard !group.subscriptions.isEmpty else { return }
    var drafts: [Parcel.Draft] = []
    for filter in group.subscriptions {
      guard let pattern = try? FilterPattern(filter.pattern) else { continue }
      for (stream, batch) in written {
        drafts += parcels(filter, pattern, stream, batch, group)
      }
    }
    do throws(Fault) {
      try await subscriptions.put(drafts)
    } catch {
      log.error("log events were not sent on", metadata: ["group": "\(group.key.name)", "fault": "\(error)"])
    }
  }

  private func parcels(
    _ filter: SubscriptionFilter, _ pattern: FilterPattern, _ stream: LogStream, _ batch: LogBatch, _ group: LogGroup
  ) -> [Parcel.Draft] {
    var drafts: [Parcel.Draft] = []
    var (events, size): ([JSONValue], Int) = ([], 0)
    func close() {
      guard !events.isEmpty else { return }
      let message: JSONValue = .members(
        ("messageType", .string("DATA_MESSAGE")), ("owner", .string(group.key.place.account.id)),
        ("logGroup", .string(group.key.name)), ("logStream", .string(stream.name)),
        ("subscriptionFilters", .array([.string(filter.name)])), ("logEvents", .array(events)))
      drafts.append(
        draft(filter, stream, group, data: Base64.encode(Gzip.stored(Array(message.text.utf8)))))
      (events, size) = ([], 0)
    }
    batch.visit { time, text in
      let text = String(buffer: text)
      guard let extracted = pattern.extract(text) else { return }
      if size + text.utf8.count > LogsService.parcelSize { close() }
      size += text.utf8.count + 128
      let id = Logs.digits(UInt64(max(0, time)), 20) + Logs.digits(world.random() % 1_000_000_000_000_000_000, 36)
      events.append(
        .members(
          ("id", .string(id)), ("timestamp", .integer(time)), ("message", .string(text)),
          (
            "extractedFields",
            extracted.isEmpty
              ? nil : .object(extracted.map { .init(String($0.key.dropFirst()), .string($0.value)) })
          )))
    }
    close()
    return drafts
  }

  /// - Parameter data: the message as it is sent, in base64.
  private func draft(
    _ filter: SubscriptionFilter, _ stream: LogStream, _ group: LogGroup, data: String
  ) -> Parcel.Draft {
    let isRandom = filter.distribution == "Random"
    let isRecord = ARN(filter.destination)?.service == "kinesis"
    // A stream's name may be longer than a key.
    let key = isRandom ? randomHex(16, from: world) : Digest.md5(stream.name)
    let body: JSONValue = .members(
      ("place", .string("\(group.key.place.account)/\(group.key.place.region)")),
      ("event", isRecord ? nil : .members(("awslogs", .members(("data", .string(data)))))),
      ("data", isRecord ? .string(data) : nil), ("key", isRecord ? .string(key) : nil))
    return Parcel.Draft(
      target: filter.destination, lane: isRandom ? "" : stream.name, body: Array(body.text.utf8))
  }

  /// Delivers, until the server stops.
  package func deliver() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.subscriptions.run { await self.deliver($0) } }
      group.addTask { await self.runExports() }
    }
  }

  private func deliver(_ parcel: Parcel) async -> Parcel.Fate {
    guard let json = try? JSONValue(parsing: ByteBuffer(bytes: parcel.body)),
      let place = json["place"]?.string?.split(separator: "/"), place.count == 2, let account = Account(place[0]),
      let region = Region(place[1])
    else { return .over }
    let call = Call(
      requestID: RequestID(from: world), place: Place(account: account, region: region),
      caller: .service("logs.amazonaws.com"), host: "", traceHeader: nil)
    do throws(AWSError) {
      if let event = json["event"], let queue = SQS.QueueReference(arn: parcel.target) {
        _ = try await door.call(
          SQS.SendMessage.self, .init(queue: queue, message: SQS.Outgoing(body: event.text)), call)
      } else if let event = json["event"] {
        _ = try await door.call(
          Lambda.InvokeEvent.self, .init(function: parcel.target, payload: ByteBuffer(string: event.text)), call)
      } else if let data = json["data"]?.string.flatMap({ Base64.decode($0) }), let key = json["key"]?.string {
        try await put(data, key: key, parcel.target, call)
      }
      return .over
    } catch {
      let isPassing = error.status >= 500 || error.status == 429
      guard isPassing, world.now() - parcel.created < LogsService.patience else {
        log.notice(
          "log events were not delivered", metadata: ["to": "\(parcel.target)", "why": "\(error.message)"])
        return .over
      }
      return .again(after: .seconds(min(900, 1 << min(parcel.attempts, 9))))
    }
  }
}

/// The container of gzip around bytes that are not compressed: every reader takes it, and it costs no time.
enum Gzip {
  static func stored(_ bytes: [UInt8]) -> ByteBuffer {
    var out = ByteBuffer(bytes: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
    var rest = bytes[...]
    repeat {
      let part = rest.prefix(65_535)
      rest = rest.dropFirst(part.count)
      out.writeInteger(UInt8(rest.isEmpty ? 1 : 0))
      out.writeInteger(UInt16(part.count), endianness: .little)
      out.writeInteger(~UInt16(part.count), endianness: .little)
      out.writeBytes(part)
    } while !rest.isEmpty
    var check = CRC32()
    bytes.withUnsafeBytes { check.update($0) }
    out.writeInteger(check.value, endianness: .little)
    out.writeInteger(UInt32(truncatingIfNeeded: bytes.count), endianness: .little)
    return out
  }
}
