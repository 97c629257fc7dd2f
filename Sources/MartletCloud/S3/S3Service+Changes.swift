// What changes objects, each as one transaction together with the events that tell of it.
import MartletCore
import MartletStore
import MartletWire

extension S3Service {
  /// Puts an object into its bucket; `null` versions replace each other, other versions stay.
  /// - Parameters:
  ///   - how: as events name it.
  ///   - check: looks at what is there now, and may refuse.
  ///   - also: goes into the same transaction.
  func put(
    _ bucketName: String, _ key: String, _ draft: S3Draft, _ call: Call, as how: S3Event.Kind.Creation,
    check: @escaping @Sendable (S3Object?) -> AWSError? = { _ in nil },
    also: @escaping @Sendable (SQLSession) throws(Fault) -> Void = { _ in }
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket) {
    let (now, version) = (world.now(), newVersion())
    do throws(AWSError) {
      let (object, bucket, replaced) = try await catalogue.writeTelling {
        session throws(Fault) -> Result<((S3Object, S3Bucket, [String]), [Parcel.Draft]), AWSError> in
        let bucket: S3Bucket
        switch try session.ownBucket(bucketName, call) {
        case .success(let found): bucket = found
        case .failure(let error): return .failure(error)
        }
        let newest = try session.latest(bucketName, key)
        if let refusal = check(newest.flatMap { $0.isMarker ? nil : $0 }) { return .failure(refusal) }
        if let refusal = try draft.access.refusal(in: bucket, session, call, operation: "PutObjectAcl") {
          return .failure(refusal)
        }
        var object = S3Object(key: key, modified: now)
        object.version = bucket.versioning == .enabled ? version : S3Object.nullVersion
        object.sequence = max(now.nanoseconds, (newest?.sequence ?? 0) + 1)
        object.take(draft, in: bucket)
        if let refusal = try session.complete(&object, in: bucket, at: now) { return .failure(refusal) }
        let replaced = try session.dropNull(of: bucketName, key, unless: bucket.versioning == .enabled)
        try session.insert(bucketName, object)
        object.expiration = try session.expiration(of: object, in: bucket)
        try also(session)
        let event = S3Event(.created(how), bucket, object, at: now, sequence: object.sequence, call)
        return .success(((object, bucket, replaced), try session.deliveries(of: event)))
      }
      await discard(replaced)
      return (object, bucket)
    } catch {
      await discard([draft.file])
      throw error
    }
  }

  /// Changes what is said of a version, such as its tags.
  /// - Parameter body: changes it, or says why not; the event of what it returns is told.
  func change(
    _ request: S3ObjectRequest, _ call: Call,
    _ body:
      @escaping @Sendable (inout S3Object, S3Bucket, SQLSession) throws(Fault) -> Result<
        S3Event.Kind?, AWSError
      >
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket) {
    let now = world.now()
    return try await catalogue.writeTelling {
      session throws(Fault) -> Result<((object: S3Object, bucket: S3Bucket), [Parcel.Draft]), AWSError> in
      switch try session.find(request.bucket, request.key, version: request.version, call) {
      case .failure(let error): return .failure(error)
      case .success((var object, let bucket)):
        switch try body(&object, bucket, session) {
        case .failure(let error): return .failure(error)
        case .success(let kind):
          try session.update(request.bucket, object)
          let event = kind.map { S3Event($0, bucket, object, at: now, call) }
          return .success(((object, bucket), try event.map { e throws(Fault) in try session.deliveries(of: e) } ?? []))
        }
      }
    }
  }

  /// What a deletion did.
  struct Deletion: Sendable {
    /// The marker that was made, or the version that was deleted; nil if the bucket has no versions.
    var version: String?
    /// A marker was made, or the deleted version was one.
    var isMarker = false
  }

  /// What is to be deleted, and on which conditions.
  struct DeletionRequest: Sendable {
    let key: String
    /// nil = what GET finds.
    var version: String?
    /// The tag that it must have.
    var ifMatch: String?
    /// Retention in governance mode does not count.
    var bypassesGovernance = false
    /// By a rule of the bucket's lifecycle, not by a caller.
    var isExpiration = false
    /// Nothing happens if the newest version is another one meanwhile; nil = whichever it is.
    var sequence: Int64?
  }

  /// Deletes a version, or, without naming one, what GET finds: with a marker if the bucket has versions.
  func delete(_ bucketName: String, _ request: DeletionRequest, _ call: Call) async throws(AWSError) -> Deletion {
    let (now, fresh) = (world.now(), newVersion())
    let (deletion, gone) = try await catalogue.writeTelling {
      session throws(Fault) -> Result<((Deletion, [String]), [Parcel.Draft]), AWSError> in
      switch try session.ownBucket(bucketName, call) {
      case .success(let bucket): try session.delete(request, from: bucket, at: now, fresh: fresh, call)
      case .failure(let error): .failure(error)
      }
    }
    await discard(gone)
    return deletion
  }
}

extension S3Object {
  fileprivate mutating func take(_ draft: S3Draft, in bucket: S3Bucket) {
    size = draft.size
    etag = draft.etag
    file = draft.file
    headers = draft.headers
    checksum = draft.checksum
    tags = draft.tags
    lock = draft.lock
    parts = draft.parts
    accessList = draft.keptList
    if !draft.access.isEmpty { accessList = draft.access.policy(owner: bucket.place.account).document }
  }
}

extension SQLSession {
  /// Gives a new object what its bucket says of all.
  /// - Returns: why the bucket does not take it; nil if it does.
  fileprivate func complete(_ object: inout S3Object, in bucket: S3Bucket, at now: Timestamp) throws(Fault) -> AWSError?
  {
    if !object.headers.contains(where: { $0.name == "x-amz-server-side-encryption" }) {
      object.headers += S3Encryption.headers(try document(of: .encryption, bucket.name))
    }
    guard let lock = try document(of: .objectLock, bucket.name) else {
      return object.lock.isEmpty ? nil : .bucketHasNoLock()
    }
    if object.lock.mode == nil {
      let rule = S3Lock(byRuleOf: lock, at: now)
      (object.lock.mode, object.lock.until) = (rule.mode, rule.until)
    }
    return nil
  }

  /// Removes the `null` version, which a new one replaces.
  /// - Returns: the files that are not needed any more.
  fileprivate func dropNull(of bucket: String, _ key: String, unless keeps: Bool) throws(Fault) -> [String] {
    guard !keeps, let old = try version(bucket, key, S3Object.nullVersion) else { return [] }
    try delete(bucket, old)
    return [old.file]
  }

  /// - Returns: what was done, the files that are not needed any more, and what is to be told of it.
  fileprivate func delete(
    _ request: S3Service.DeletionRequest, from bucket: S3Bucket, at now: Timestamp, fresh: String, _ call: Call
  ) throws(Fault) -> Result<((S3Service.Deletion, [String]), [Parcel.Draft]), AWSError> {
    if let version = request.version, let refusal = S3Object.refusal(ofVersion: version) { return .failure(refusal) }
    let newest = try latest(bucket.name, request.key)
    if let sequence = request.sequence, sequence != newest?.sequence {
      return .success(((S3Service.Deletion(), []), []))
    }
    let target = try request.version.map { id throws(Fault) in try version(bucket.name, request.key, id) } ?? newest
    let sequence = max(now.nanoseconds, (newest?.sequence ?? 0) + 1)
    if let ifMatch = request.ifMatch {
      guard let target, !target.isMarker else { return .failure(.noSuchKey(request.key)) }
      guard S3.Conditions.holds(ifMatch, target.etag) else { return .failure(.preconditionFailed("If-Match")) }
    }
    func told(_ object: S3Object, byMarker: Bool) throws(Fault) -> [Parcel.Draft] {
      let kind: S3Event.Kind = request.isExpiration ? .expired(byMarker: byMarker) : .deleted(byMarker: byMarker)
      return try deliveries(of: S3Event(kind, bucket, object, at: now, sequence: sequence, call))
    }
    guard request.version == nil, bucket.versioning != .never else {
      guard let target else { return .success(((S3Service.Deletion(version: request.version), []), [])) }
      if let refusal = target.lock.refusal(at: now, bypasses: request.bypassesGovernance) { return .failure(refusal) }
      try delete(bucket.name, target)
      let deletion = S3Service.Deletion(version: request.version, isMarker: target.isMarker)
      return .success(((deletion, [target.file]), try told(target, byMarker: false)))
    }
    var marker = S3Object(key: request.key, modified: now)
    marker.version = bucket.versioning == .enabled ? fresh : S3Object.nullVersion
    marker.sequence = sequence
    marker.isMarker = true
    let gone = try dropNull(of: bucket.name, request.key, unless: bucket.versioning == .enabled)
    try insert(bucket.name, marker)
    let deletion = S3Service.Deletion(version: marker.version, isMarker: true)
    return .success(((deletion, gone), try told(marker, byMarker: true)))
  }

  /// The version that a request means, with its bucket.
  func find(
    _ name: String, _ key: String, version: String?, _ call: Call
  ) throws(Fault) -> Result<(object: S3Object, bucket: S3Bucket), AWSError> {
    let bucket: S3Bucket
    switch try ownBucket(name, call) {
    case .success(let found): bucket = found
    case .failure(let error): return .failure(error)
    }
    if let version {
      if let refusal = S3Object.refusal(ofVersion: version) { return .failure(refusal) }
      guard let object = try self.version(name, key, version) else { return .failure(.noSuchVersion(key, version)) }
      return object.isMarker ? .failure(.markerHasNoBytes(version)) : .success((object, bucket))
    }
    guard var object = try latest(name, key) else { return .failure(.noSuchKey(key)) }
    if object.isMarker { return .failure(.deleted(key, object.version)) }
    object.expiration = try expiration(of: object, in: bucket)
    return .success((object, bucket))
  }

  /// When the bucket's lifecycle will delete its newest version.
  func expiration(of object: S3Object, in bucket: S3Bucket) throws(Fault) -> String? {
    try document(of: .lifecycle, bucket.name).flatMap { S3Expiry($0).expiration(of: object) }
  }
}
