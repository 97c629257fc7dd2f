// Trails: a file of what has come together goes into the bucket every five minutes of the world's clock.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

/// Which trails wait for their time, and whose has come.
struct TrailDeliveries: Sendable {
  private var expected: Set<String> = []
  private(set) var due: [String] = []
  private var failures: [String: Int] = [:]

  /// - Returns: false if it is expected already.
  mutating func expect(_ trail: String) -> Bool { !due.contains(trail) && expected.insert(trail).inserted }

  mutating func ring(_ trail: String) {
    expected.remove(trail)
    due.append(trail)
  }

  mutating func take() -> [String] {
    defer { due = [] }
    return due
  }

  /// - Returns: how often it has failed in a row, this time included.
  mutating func fail(_ trail: String) -> Int {
    failures[trail, default: 0] += 1
    return failures[trail] ?? 1
  }

  mutating func succeed(_ trail: String) { failures[trail] = nil }
}

extension CloudTrailService {
  /// - Parameter trail: its ARN.
  func expectDelivery(_ trail: String, after delay: Duration) {
    guard deliveries.withLock({ $0.expect(trail) }) else { return }
    alarms.set(at: world.now() + delay) {
      self.alarms.begin()
      self.deliveries.withLock { $0.ring(trail) }
      self.wake()
    }
  }

  func deliverDue() async {
    for trail in deliveries.withLock({ $0.take() }) {
      await deliver(trail)
      alarms.end()
    }
  }

  private func deliver(_ arn: String) async {
    guard let found = trails.all.first(where: { $0.arn == arn }) else {
      try? await store.remove(arn)
      return
    }
    while true {
      let owed = (try? store.owed(arn, count: limits.file)) ?? []
      guard let region = owed.first?.region else { break }
      let key = found.objectKey(region, at: world.now(), word: word())
      let text = "{\"Records\":[\(owed.map(\.document).joined(separator: ","))]}"
      let input = S3.PutObject.Input(
        bucket: found.bucket, key: key, body: Gzip.stored(Array(text.utf8)), type: "application/json")
      do throws(AWSError) {
        _ = try await door.call(S3.PutObject.self, input, call(found.key.place))
      } catch {
        await note(found, error)
        // The bucket may come back; meanwhile nothing is forgotten but what is too old or too much.
        let failures = deliveries.withLock { $0.fail(arn) }
        return expectDelivery(arn, after: min(limits.delivery * (1 << min(failures, 6)), .seconds(6 * 3600)))
      }
      do throws(Fault) {
        try await store.settle(arn, owed.map(\.seq))
      } catch {
        log.error("what a trail delivered cannot be noted", metadata: ["trail": "\(arn)", "fault": "\(error)"])
        return expectDelivery(arn, after: limits.delivery)
      }
      counts.withLock { $0.files += 1 }
      deliveries.withLock { $0.succeed(arn) }
      await tell(found, key: key, owed)
    }
  }

  /// Sixteen letters and digits.
  private func word() -> String {
    let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    return String((0..<16).map { _ in letters[Int(world.random() % UInt64(letters.count))] })
  }

  private func note(_ trail: Trail, _ error: AWSError) async {
    log.notice(
      "a trail was not delivered",
      metadata: ["trail": "\(trail.arn)", "bucket": "\(trail.bucket)", "why": "\(error.message)"])
    let now = world.now().milliseconds
    _ = try? await change(trail.key) { (trail: inout Trail) throws(AWSError) in
      trail.status.attempted = now
      trail.status.error = error.code
    }
  }

  /// After a file was written: the status, the topic and the log group.
  private func tell(_ trail: Trail, key: String, _ events: [AuditStore.Owed]) async {
    let now = world.now().milliseconds
    let notification = await notify(trail, key)
    let logged = await writeLog(trail, events)
    _ = try? await change(trail.key) { (trail: inout Trail) throws(AWSError) in
      trail.status.attempted = now
      trail.status.delivered = now
      trail.status.error = nil
      if let notification {
        trail.status.notificationError = notification.error
        if notification.error == nil { trail.status.notified = now }
      }
      if let logged {
        trail.status.logError = logged.error
        if logged.error == nil { trail.status.logged = now }
      }
    }
  }

  private struct Outcome {
    let error: String?
  }

  /// nil = there is no topic.
  private func notify(_ trail: Trail, _ key: String) async -> Outcome? {
    guard let topic = trail.topicARN else { return nil }
    let message = JSONValue.members(
      ("s3Bucket", .string(trail.bucket)), ("s3ObjectKey", .array([.string(key)])))
    do throws(AWSError) {
      _ = try await door.call(
        SNS.Publish.self, .init(topic: topic, message: message.text), call(trail.key.place))
      return Outcome(error: nil)
    } catch {
      return Outcome(error: error.code)
    }
  }

  /// nil = there is no log group.
  private func writeLog(_ trail: Trail, _ events: [AuditStore.Owed]) async -> Outcome? {
    guard let group = trail.logGroup.flatMap({ CloudTrailService.logGroup($0) }), let region = events.first?.region
    else { return nil }
    let place = trail.key.place
    let stream = "\(place.account)_CloudTrail_\(region)"
    do throws(AWSError) {
      do throws(AWSError) {
        _ = try await door.call(Logs.CreateLogStream.self, .init(group: group, stream: stream), call(place))
      } catch {
        guard error.code == "ResourceAlreadyExistsException" else { throw error }
      }
      for event in events {
        _ = try await door.call(
          Logs.PutLogEvents.self, .init(group: group, stream: stream, message: event.document, time: event.time),
          call(place))
      }
      return Outcome(error: nil)
    } catch {
      return Outcome(error: error.code)
    }
  }

  /// The name in `arn:aws:logs:us-east-1:111111111111:log-group:name:*`; nil if it is none.
  static func logGroup(_ arn: String) -> String? {
    guard let parsed = ARN(arn), parsed.service == "logs", parsed.resource.hasPrefix("log-group:") else { return nil }
    let name = parsed.resource.dropFirst("log-group:".count).prefix { $0 != ":" }
    return name.isEmpty ? nil : String(name)
  }
}
