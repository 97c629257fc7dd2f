// Delivering: one attempt for one message and one subscription, and what follows from how it ends.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization

extension SNSService {
  /// How an attempt ended.
  enum Attempt: Sendable {
    case taken
    /// It may be taken later.
    case failed(AWSError)
    /// It will never be taken.
    case refused(AWSError)
  }

  /// Delivers one parcel, or says when to try again.
  func deliver(_ parcel: Parcel) async -> Parcel.Fate {
    guard let json = try? JSONValue(parsing: String(decoding: parcel.body, as: UTF8.self)),
      let notification = Notification(parcel: json)
    else {
      log.error("a message in the outbox is damaged", metadata: ["subscription": "\(parcel.target)"])
      return .over
    }
    // Whoever has unsubscribed meanwhile gets nothing any more.
    guard let key = try? SubscriptionReference(parcel.target).key, let record = subscriptions.find(key),
      notification.kind == .goodbye || record.state != .deleted, topics.find(record.topic)?.store == record.store
    else { return .over }
    let schedule = self.schedule(record)
    // What was given up in vain is given up again, without another attempt.
    if parcel.attempts > schedule.retries {
      return await giveUp(notification, record, .snsUnreachable("The retries are exhausted"), attempts: parcel.attempts)
    }
    switch await attempt(notification, record) {
    case .taken:
      if notification.kind == .notification {
        totals.withLock { $0.delivered += 1 }
        note(record.topic) { $0.delivered += 1 }
      }
      return .over
    case .refused(let error): return await giveUp(notification, record, error, attempts: parcel.attempts + 1)
    case .failed(let error):
      log.info(
        "a message is delivered later",
        metadata: [
          "subscription": "\(parcel.target)", "message": "\(notification.id)", "attempts": "\(parcel.attempts + 1)",
          "error": "\(error.note ?? error.message)",
        ])
      guard let delay = schedule.delay(after: parcel.attempts + 1),
        !record.channel.isHTTP || world.now() + delay <= parcel.created + DeliveryPolicy.longest
      else { return await giveUp(notification, record, error, attempts: parcel.attempts + 1) }
      return .again(after: delay)
    }
  }

  private func schedule(_ record: SNSSubscription) -> RetrySchedule {
    guard record.channel.isHTTP else { return .managed }
    let topic = topics.find(record.topic)?.attributes["DeliveryPolicy"]
    return DeliveryPolicy(topic: topic, subscription: record.attributes["DeliveryPolicy"]).schedule ?? RetrySchedule()
  }

  private func attempt(_ notification: Notification, _ record: SNSSubscription) async -> Attempt {
    do throws(AWSError) {
      switch record.channel {
      case .sqs: try await send(notification, to: record)
      case .lambda: try await invoke(notification, record)
      case .http, .https: return try await post(notification, to: record)
      case .email, .emailJSON: return .refused(.notImplemented("e-mail of SNS subscriptions"))
      }
      return .taken
    } catch {
      return SNSService.isLasting(error) ? .refused(error) : .failed(error)
    }
  }

  /// What will be the same in a minute.
  static func isLasting(_ error: AWSError) -> Bool {
    if error.status == 501 { return true }
    // A function that is being changed takes events a little later.
    return error.status < 500 && error.status != 429 && error.status != 409
      && !error.code.lowercased().contains("throttl")
  }

  private func call(at arn: ARN, _ notification: Notification, _ record: SNSSubscription) -> Call {
    let place = Place(
      account: Account(arn.account) ?? record.key.place.account, region: Region(arn.region) ?? record.key.place.region)
    return Call(
      requestID: RequestID(from: world), place: place, caller: .service("sns.amazonaws.com"), host: "localhost",
      traceHeader: notification.traceHeader)
  }

  /// What the endpoint gets: the message alone, or the document around it.
  private func body(_ notification: Notification, _ record: SNSSubscription) async throws(AWSError) -> String {
    if record.isRaw, notification.kind == .notification { return notification.message }
    let links = NotificationLinks(host: record.host)
    let signature = try await signer.sign(notification, links)
    return notification.document(links, signature, subscription: record.arn)
  }

  // MARK: - To SQS

  private func send(_ notification: Notification, to record: SNSSubscription) async throws(AWSError) {
    guard let queue = SQS.QueueReference(arn: record.endpoint), let arn = ARN(record.endpoint) else {
      throw .sqsNoQueue()
    }
    var message = SQS.Outgoing(body: try await body(notification, record))
    if record.isRaw { message.attributes = notification.attributes.map(SQS.Attribute.init) }
    address(&message, notification, isFIFO: record.endpoint.hasSuffix(".fifo"))
    _ = try await door.call(
      SQS.SendMessage.self, .init(queue: queue, message: message), call(at: arn, notification, record))
  }

  /// What a message for a queue has beside its body.
  private func address(_ message: inout SQS.Outgoing, _ notification: Notification, isFIFO: Bool) {
    message.groupID = notification.groupID
    if isFIFO { message.deduplicationID = notification.deduplicationID }
    message.systemAttributes =
      notification.traceHeader.map { [.init(name: "AWSTraceHeader", type: "String", string: $0)] } ?? []
  }

  // MARK: - To Lambda

  private func invoke(_ notification: Notification, _ record: SNSSubscription) async throws(AWSError) {
    guard let arn = ARN(record.endpoint) else { throw .snsInvalid("Lambda endpoint ARN") }
    let links = NotificationLinks(host: record.host)
    let signature = try await signer.sign(notification, links)
    let event = notification.event(links, signature, subscription: record.arn)
    _ = try await door.call(
      Lambda.InvokeEvent.self, .init(function: record.endpoint, payload: ByteBuffer(string: event)),
      call(at: arn, notification, record))
  }

  // MARK: - To HTTP

  private func post(_ notification: Notification, to record: SNSSubscription) async throws(AWSError) -> Attempt {
    guard let endpoint = HTTPEndpoint(record.endpoint) else { return .refused(.snsUnreachable("it is no URL")) }
    let text = try await body(notification, record)
    let policy = DeliveryPolicy(
      topic: topics.find(record.topic)?.attributes["DeliveryPolicy"], subscription: record.attributes["DeliveryPolicy"])
    var headers: HTTPHeaders = [
      "x-amz-sns-message-type": notification.kind.rawValue, "x-amz-sns-message-id": notification.id,
      "x-amz-sns-topic-arn": notification.topic,
      "Content-Type": policy.contentType ?? DeliveryPolicy.usualContentType,
      "User-Agent": "Amazon Simple Notification Service Agent", "Accept-Encoding": "gzip,deflate",
    ]
    if notification.kind != .confirmation { headers.add(name: "x-amz-sns-subscription-arn", value: record.arn) }
    if record.isRaw, notification.kind == .notification { headers.add(name: "x-amz-sns-rawdelivery", value: "true") }
    if let authorization = endpoint.authorization { headers.add(name: "Authorization", value: authorization) }
    if let trace = notification.traceHeader { headers.add(name: "X-Amzn-Trace-Id", value: trace) }
    var patience = HTTPClient.Patience()
    patience.silence = .seconds(15)
    do throws(Fault) {
      let client = HTTPClient(endpoint.address, patience: patience, security: security)
      let reply = try await client.send(.POST, endpoint.target, headers: headers, body: ByteBuffer(string: text))
      if (200..<300).contains(reply.status) { return .taken }
      let error = AWSError.snsAnswered(reply.status, String(buffer: reply.body))
      return reply.status >= 500 || reply.status == 429 ? .failed(error) : .refused(error)
    } catch {
      return .failed(.snsUnreachable("\(error)"))
    }
  }

  // MARK: - Dead letters

  /// No more attempts: into the subscription's dead-letter queue, if it has one.
  private func giveUp(
    _ notification: Notification, _ record: SNSSubscription, _ error: AWSError, attempts: Int
  ) async -> Parcel.Fate {
    var refusal = error
    if notification.kind == .notification, let target = record.deadLetterTarget {
      do throws(AWSError) {
        try await bury(notification, record, error, in: target)
        totals.withLock { $0.deadLettered += 1 }
        note(record.topic) { tally in
          tally.failed += 1
          tally.redriven += 1
        }
        return .over
      } catch {
        guard SNSService.isLasting(error) else {
          return .again(after: .seconds(RetrySchedule.managed.maxDelay))
        }
        refusal = error
      }
    }
    if notification.kind == .notification {
      totals.withLock { $0.dropped += 1 }
      note(record.topic) { $0.failed += 1 }
    }
    log.error(
      "a message could not be delivered",
      metadata: [
        "subscription": "\(record.arn)", "endpoint": "\(record.endpoint)", "message": "\(notification.id)",
        "attempts": "\(attempts)", "code": "\(refusal.code)", "error": "\(refusal.note ?? refusal.message)",
      ])
    return .over
  }

  private func bury(
    _ notification: Notification, _ record: SNSSubscription, _ error: AWSError, in target: String
  ) async throws(AWSError) {
    guard let queue = SQS.QueueReference(arn: target), let arn = ARN(target) else { throw .sqsNoQueue() }
    let text: String
    if record.channel == .lambda {
      let links = NotificationLinks(host: record.host)
      text = notification.document(
        links, try await signer.sign(notification, links), subscription: record.arn)
    } else {
      text = try await body(notification, record)
    }
    var message = SQS.Outgoing(body: text)
    let call = call(at: arn, notification, record)
    let own: [SQS.Attribute] = [
      .init(name: "RequestID", type: "String", string: call.requestID.description),
      .init(name: "ErrorCode", type: "String", string: error.code),
      .init(name: "ErrorMessage", type: "String", string: SNSService.start(of: error.message)),
    ]
    // Those of a raw message stay as far as there is room, beside AWS's three.
    let names = Set(own.map(\.name))
    let others =
      record.isRaw ? notification.attributes.map(SQS.Attribute.init).filter { !names.contains($0.name) } : []
    message.attributes = own + others.prefix(SNSService.mostAttributes - own.count)
    address(&message, notification, isFIFO: target.hasSuffix(".fifo"))
    _ = try await door.call(SQS.SendMessage.self, .init(queue: queue, message: message), call)
  }

  /// Of a message in a queue.
  private static let mostAttributes = 10

  /// The first kilobyte of a text that a queue may hold.
  private static func start(of text: String) -> String {
    var start = ""
    for scalar in text.unicodeScalars {
      guard start.utf8.count < 1021 else { break }
      let isValid =
        scalar.value >= 32 && scalar != "\u{fffe}" && scalar != "\u{ffff}" || "\t\n\r".unicodeScalars.contains(scalar)
      start.unicodeScalars.append(isValid ? scalar : " ")
    }
    return start.isEmpty ? " " : start
  }
}

extension SQS.Attribute {
  fileprivate init(_ attribute: SNS.Attribute) {
    self.init(name: attribute.name, type: attribute.type, string: attribute.string, binary: attribute.binary)
  }
}
