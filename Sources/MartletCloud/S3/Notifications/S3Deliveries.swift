// Events on their way: written down with the change that they tell of, delivered until their target took them.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore

/// What lies in the outbox.
struct S3Delivery: Sendable, Equatable {
  /// Of a rule, or of the default bus (`arn:aws:events:…:event-bus/default`).
  let arn: String
  /// The bucket's.
  let place: Place
  let traceHeader: String?
  /// Text of a message or an invocation.
  var message = ""
  /// For a bus.
  var entry: EventBridge.PutEvents.Entry?

  var bytes: [UInt8] {
    let entry = entry.map { entry in
      JSONValue.members(
        ("Source", .string(entry.source)), ("DetailType", .string(entry.detailType)),
        ("Detail", .string(entry.detail)), ("Resources", .array(entry.resources.map { .string($0) })),
        ("Time", entry.time.map { .integer($0.nanoseconds) }))
    }
    return Array(
      JSONValue.members(
        ("Arn", .string(arn)), ("Account", .string(place.account.id)), ("Region", .string(place.region.name)),
        ("Trace", traceHeader.map { .string($0) }), ("Message", .string(message)), ("Entry", entry)
      ).text.utf8)
  }

  init(arn: String, place: Place, traceHeader: String?, message: String = "", entry: EventBridge.PutEvents.Entry? = nil)
  {
    self.arn = arn
    self.place = place
    self.traceHeader = traceHeader
    self.message = message
    self.entry = entry
  }

  /// nil if the bytes are damaged.
  init?(_ bytes: [UInt8]) {
    guard let json = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)), let arn = json["Arn"]?.string,
      let account = json["Account"]?.string.flatMap({ Account($0) }),
      let region = json["Region"]?.string.flatMap({ Region($0) })
    else { return nil }
    self.arn = arn
    place = Place(account: account, region: region)
    traceHeader = json["Trace"]?.string
    message = json["Message"]?.string ?? ""
    entry = json["Entry"].map { entry in
      EventBridge.PutEvents.Entry(
        source: entry["Source"]?.string ?? "", detailType: entry["DetailType"]?.string ?? "",
        detail: entry["Detail"]?.string ?? "", resources: entry["Resources"]?.array?.compactMap(\.string) ?? [],
        time: entry["Time"]?.integer.map { Timestamp(nanoseconds: Int64($0)) }, traceHeader: traceHeader)
    }
  }

  var draft: Parcel.Draft { Parcel.Draft(target: arn, body: bytes) }
}

extension SQLSession {
  /// What is to be told of an event, in the transaction in which it happens.
  func deliveries(of event: S3Event) throws(Fault) -> [Parcel.Draft] {
    guard let document = try document(of: .notification, event.bucket.name) else { return [] }
    let notifications = S3Notifications(document)
    let place = event.bucket.place
    var list = notifications.rules(for: event.name, key: event.object.key).map { rule in
      S3Delivery(
        arn: rule.arn, place: place, traceHeader: event.call.traceHeader, message: event.records(rule: rule.id)
      ).draft
    }
    if notifications.hasEventBridge, let entry = event.entry {
      let bus = ARN(service: "events", place: place, resource: "event-bus/default").description
      list.append(S3Delivery(arn: bus, place: place, traceHeader: event.call.traceHeader, entry: entry).draft)
    }
    return list
  }
}

extension S3Service {
  /// Events that could not be delivered for so long are given up.
  private static let patience = Duration.seconds(24 * 3600)

  func deliver(_ parcel: Parcel) async -> Parcel.Fate {
    guard let delivery = S3Delivery(parcel.body) else {
      log.error("an event of S3 cannot be read", metadata: ["target": "\(parcel.target)"])
      return .over
    }
    do throws(AWSError) {
      try await send(delivery)
      return .over
    } catch {
      // What is not built, or not there, will not be there in a minute either.
      let isLasting = error.status == 501 || error.status < 500 && error.status != 429
      let isOver = isLasting || world.now() > parcel.created + S3Service.patience
      log.log(
        level: isLasting ? .warning : isOver ? .error : .notice,
        isOver ? "an event of S3 could not be delivered" : "an event of S3 is delivered later",
        metadata: [
          "target": "\(delivery.arn)", "code": "\(error.code)", "error": "\(error.note ?? error.message)",
        ])
      return isOver ? .over : .again(after: .seconds(min(300, 1 << min(parcel.attempts, 9))))
    }
  }

  private func send(_ delivery: S3Delivery) async throws(AWSError) {
    let call = Call(
      requestID: RequestID(from: world), place: delivery.place, caller: .service("s3.amazonaws.com"),
      host: "localhost", traceHeader: delivery.traceHeader)
    if let entry = delivery.entry {
      let output = try await door.call(EventBridge.PutEvents.self, .init(entries: [entry]), call)
      if case .failed(let code, let message)? = output.results.first { throw AWSError(code, status: 500, message) }
      return
    }
    switch ARN(delivery.arn)?.service {
    case "lambda":
      let payload = ByteBuffer(string: delivery.message)
      _ = try await door.call(Lambda.InvokeEvent.self, .init(function: delivery.arn, payload: payload), call)
    case "sqs":
      guard let queue = SQS.QueueReference(arn: delivery.arn) else { throw .s3Invalid("no queue") }
      _ = try await door.call(
        SQS.SendMessage.self, .init(queue: queue, message: SQS.Outgoing(body: delivery.message)), call)
    case "sns":
      var outgoing = SNS.Outgoing(message: delivery.message)
      outgoing.subject = S3Service.subject
      _ = try await door.call(SNS.Publish.self, .init(topic: delivery.arn, outgoing), call)
    default: throw .notImplemented("S3 notifications to \(delivery.arn)")
    }
  }

  /// Of what topics get.
  private static let subject = "Amazon S3 Notification"
}

// MARK: - Asking destinations

extension S3Service {
  /// - Throws: `InvalidArgument` that names the destinations that are not there.
  func validate(_ notifications: S3Notifications, _ call: Call) async throws(AWSError) {
    var problems: [(arn: String, reason: String)] = []
    for rule in notifications.rules {
      guard let reason = await problem(with: rule, call.by("s3.amazonaws.com")) else { continue }
      let name = rule.service == .lambda ? "\(rule.arn), null" : rule.arn
      if !problems.contains(where: { $0.arn == name }) { problems.append((name, reason)) }
    }
    guard problems.isEmpty else { throw .destinationsInvalid(problems) }
  }

  /// Nothing is said against a destination whose service is not there yet, or is ill.
  private func problem(with rule: S3Notifications.Rule, _ call: Call) async -> String? {
    do throws(AWSError) {
      switch rule.service {
      case .lambda: _ = try await door.call(Lambda.FindFunction.self, .init(function: rule.arn), call)
      case .sqs:
        guard let queue = SQS.QueueReference(arn: rule.arn) else { return nil }
        _ = try await door.call(SQS.GetQueueAttributes.self, .init(queue: queue, names: ["QueueArn"]), call)
      case .sns:
        guard !door.isRemote(SNS.Publish.self) else { return nil }
        _ = try await door.call(SNS.GetTopicAttributes.self, .init(topic: rule.arn), call)
      }
      return nil
    } catch {
      guard error.status < 500 else { return nil }
      switch rule.service {
      case .lambda: return "The destination Lambda function does not exist"
      case .sqs: return "The destination queue does not exist"
      case .sns: return "The destination topic does not exist"
      }
    }
  }
}

extension S3Notifications {
  /// What queues and topics get when they become destinations, each once.
  func tests(of bucket: S3Bucket, at time: Timestamp, _ call: Call) -> [Parcel.Draft] {
    var seen: Set<String> = []
    return rules.filter { $0.service != .lambda && seen.insert($0.arn).inserted }.map { rule in
      S3Delivery(
        arn: rule.arn, place: bucket.place, traceHeader: nil, message: S3Event.test(bucket, at: time, call)
      ).draft
    }
  }
}
