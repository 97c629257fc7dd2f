// Deletes at midnight what the lifecycles of buckets want deleted, by the movable clock.
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

/// Wakes at midnight while any bucket has a lifecycle.
final class S3Sweep: Sendable {
  private let alarms: Alarms
  private let next = Mutex<Alarms.Alarm?>(nil)
  let nights: AsyncStream<Void>
  private let night: AsyncStream<Void>.Continuation

  init(alarms: Alarms) {
    self.alarms = alarms
    (nights, night) = AsyncStream.makeStream()
  }

  /// Sets the alarm for the next midnight unless it is set.
  func arm() {
    next.withLock { next in
      guard next == nil else { return }
      let midnight = S3Expiry.midnight(0, after: alarms.world.now() + .nanoseconds(1))
      next = alarms.set(at: midnight) { [weak self] in self?.ring() }
    }
  }

  private func ring() {
    next.withLock { $0 = nil }
    alarms.begin()
    if case .enqueued = night.yield() { return }
    alarms.end()
  }

  func stop() { night.finish() }
}

extension S3Service {
  /// Versions and uploads that are looked at in one transaction.
  private static let page = 1000

  func runLifecycles() async {
    if await hasLifecycles() { sweep.arm() }
    for await _ in sweep.nights {
      await sweepAll()
      if await hasLifecycles() { sweep.arm() }
      alarms.end()
    }
  }

  private func hasLifecycles() async -> Bool { !(await lifecycles()).isEmpty }

  private func lifecycles() async -> [(bucket: S3Bucket, expiry: S3Expiry)] {
    do throws(AWSError) {
      return try await catalogue.read { session throws(Fault) in
        var list: [(bucket: S3Bucket, expiry: S3Expiry)] = []
        for name in try session.buckets(with: S3Setting.lifecycle.kind) {
          guard let bucket = try session.bucket(name), let document = try session.document(of: .lifecycle, name)
          else { continue }
          list.append((bucket, S3Expiry(document)))
        }
        return .success(list)
      }
    } catch {
      log.error("lifecycles of buckets cannot be read", metadata: ["error": "\(error.note ?? error.message)"])
      return []
    }
  }

  private func sweepAll() async {
    for (bucket, expiry) in await lifecycles() {
      do throws(AWSError) {
        try await sweep(bucket, expiry)
      } catch {
        log.error(
          "the lifecycle of a bucket could not be followed",
          metadata: ["bucket": "\(bucket.name)", "error": "\(error.note ?? error.message)"])
      }
    }
  }

  private func sweep(_ bucket: S3Bucket, _ expiry: S3Expiry) async throws(AWSError) {
    let now = world.now()
    let call = Call(
      requestID: RequestID(from: world), place: bucket.place, caller: .service("s3.amazonaws.com"), host: "localhost",
      traceHeader: nil)
    let uploads = try await catalogue.read { session throws(Fault) -> Result<[S3Upload], AWSError> in
      .success(try session.uploads("bucket = ?", [.text(bucket.name)]))
    }
    for upload in uploads where expiry.ends(uploadOf: upload.key, begun: upload.created, at: now) {
      let gone = try await catalogue.write { session throws(Fault) -> Result<[String], AWSError> in
        .success(try session.deleteUpload(upload.id))
      }
      await discard(gone)
    }
    var after: (key: String, sequence: Int64?)?
    var versions: [S3Object] = []
    while true {
      let position = after
      let page = try await catalogue.read { session throws(Fault) -> Result<[S3Object], AWSError> in
        .success(
          try session.versions(
            bucket.name, prefix: "", after: position, isLatest: false, count: S3Service.page))
      }
      for object in page {
        if let first = versions.first, !first.key.isSame(as: object.key) {
          try await expire(versions, in: bucket, expiry, at: now, call)
          versions = []
        }
        versions.append(object)
      }
      guard let last = page.last, page.count == S3Service.page else { break }
      after = (last.key, last.sequence)
    }
    try await expire(versions, in: bucket, expiry, at: now, call)
  }

  /// - Parameter versions: all of one key.
  private func expire(
    _ versions: [S3Object], in bucket: S3Bucket, _ expiry: S3Expiry, at now: Timestamp, _ call: Call
  ) async throws(AWSError) {
    guard let key = versions.first?.key else { return }
    for version in expiry.deletions(of: versions, at: now) {
      do throws(AWSError) {
        let request = DeletionRequest(
          key: key, version: version, isExpiration: true, sequence: version == nil ? versions[0].sequence : nil)
        _ = try await delete(bucket.name, request, call)
      } catch {
        // What is locked stays, and is tried again the next night.
        guard error.status == 403 else { throw error }
      }
    }
  }
}

extension SQLSession {
  /// The buckets that have a configuration.
  fileprivate func buckets(with kind: String) throws(Fault) -> [String] {
    try rows("SELECT bucket FROM s3_settings WHERE kind = ? ORDER BY bucket", [.text(kind)]).map { $0.text("bucket") }
  }
}
