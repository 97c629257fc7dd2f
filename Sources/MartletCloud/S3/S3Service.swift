// Amazon S3, embedded: buckets with versions, objects as files. Its table of operations is in S3Operations.swift.
// https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
import Glibc
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix

package final class S3Service: Sendable {
  let world: any World
  let catalogue: S3Catalogue
  let files: S3Files
  let threads: NIOThreadPool
  let log: Logger

  /// Largest object of one request: 5 GiB.
  package static let largestUpload = ByteCount.bytes(5_368_709_120)

  package static let migrations = S3Catalogue.migrations

  /// Removes what a crash left behind. The database must have been migrated.
  /// - Parameter root: where the bytes of objects lie; made if it is not there.
  package init(
    database: Database, root: String, world: any World, log: Logger, threads: NIOThreadPool = .singleton
  ) throws(Fault) {
    self.world = world
    self.log = log
    self.threads = threads
    catalogue = S3Catalogue(database: database, threads: threads)
    files = try S3Files(root: root, world: world)
    files.collect(keeping: try catalogue.files())
  }

  /// The bucket, for the account that owns it: until policies are evaluated, nobody else may do anything with it.
  func bucket(_ name: String, _ call: Call) async throws(AWSError) -> S3Bucket {
    try await catalogue.read { session throws(Fault) in try session.ownBucket(name, call) }
  }

  /// Runs what blocks on a thread that may wait.
  func blocking<T: Sendable>(_ body: @escaping @Sendable () throws(AWSError) -> T) async throws(AWSError) -> T {
    let result: Result<T, AWSError>
    do {
      result = try await threads.runIfActive { Result { () throws(AWSError) in try body() } }
    } catch {
      throw .service("S3: \(error)")
    }
    return try result.get()
  }

  /// A version id: 32 characters, as S3's.
  func newVersion() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._".utf8)
    var bytes: [UInt8] = []
    while bytes.count < 32 {
      var bits = world.random()
      for _ in 0..<10 where bytes.count < 32 {
        bytes.append(alphabet[Int(bits & 63)])
        bits >>= 6
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension SQLSession {
  /// The bucket if it is there and the caller's own.
  func ownBucket(_ name: String, _ call: Call) throws(Fault) -> Result<S3Bucket, AWSError> {
    guard let bucket = try bucket(name) else { return .failure(.noSuchBucket(name)) }
    guard bucket.place.account == call.place.account else { return .failure(.s3AccessDenied()) }
    return .success(bucket)
  }
}

extension S3Service {
  /// Puts an object into its bucket; `null` versions replace each other, other versions stay.
  /// - Parameter check: looks at what is there now, and may refuse.
  /// - Returns: the object, and whether its bucket has versions.
  func put(
    _ bucketName: String, _ key: String, _ draft: S3Draft, _ call: Call,
    check: @escaping @Sendable (S3Object?) -> AWSError? = { _ in nil },
    also: @escaping @Sendable (SQLSession) throws(Fault) -> Void = { _ in }
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket) {
    let (now, version) = (world.now(), newVersion())
    do throws(AWSError) {
      let (object, bucket, replaced) = try await catalogue.write {
        session throws(Fault) -> Result<(S3Object, S3Bucket, [String]), AWSError> in
        let bucket: S3Bucket
        switch try session.ownBucket(bucketName, call) {
        case .success(let found): bucket = found
        case .failure(let error): return .failure(error)
        }
        let newest = try session.latest(bucketName, key)
        if let refusal = check(newest.flatMap { $0.isMarker ? nil : $0 }) { return .failure(refusal) }
        var object = S3Object(key: key, modified: now)
        object.version = bucket.versioning == .enabled ? version : S3Object.nullVersion
        object.sequence = max(now.nanoseconds, (newest?.sequence ?? 0) + 1)
        object.size = draft.size
        object.etag = draft.etag
        object.file = draft.file
        object.headers = draft.headers
        object.checksum = draft.checksum
        let replaced = try session.dropNull(of: bucketName, key, unless: bucket.versioning == .enabled)
        try session.insert(bucketName, object)
        try also(session)
        return .success((object, bucket, replaced))
      }
      for name in replaced { files.remove(name) }
      return (object, bucket)
    } catch {
      files.remove(draft.file)
      throw error
    }
  }

  /// What a deletion did.
  struct Deletion: Sendable {
    /// The marker that was made, or the version that was deleted; nil if the bucket has no versions.
    var version: String?
    /// A marker was made, or the deleted version was one.
    var isMarker = false
  }

  /// Deletes a version, or, without naming one, what GET finds: with a marker if the bucket has versions.
  func delete(
    _ bucketName: String, _ key: String, version: String?, _ call: Call
  ) async throws(AWSError) -> Deletion {
    let (now, fresh) = (world.now(), newVersion())
    let (deletion, gone) = try await catalogue.write {
      session throws(Fault) -> Result<(Deletion, [String]), AWSError> in
      let bucket: S3Bucket
      switch try session.ownBucket(bucketName, call) {
      case .success(let found): bucket = found
      case .failure(let error): return .failure(error)
      }
      if let version {
        guard let object = try session.version(bucketName, key, version) else {
          return .success((Deletion(version: version), []))
        }
        try session.delete(bucketName, object)
        return .success((Deletion(version: version, isMarker: object.isMarker), [object.file]))
      }
      guard bucket.versioning != .never else {
        let gone = try session.dropNull(of: bucketName, key, unless: false)
        return .success((Deletion(), gone))
      }
      let newest = try session.latest(bucketName, key)
      var marker = S3Object(key: key, modified: now)
      marker.version = bucket.versioning == .enabled ? fresh : S3Object.nullVersion
      marker.sequence = max(now.nanoseconds, (newest?.sequence ?? 0) + 1)
      marker.isMarker = true
      let gone = try session.dropNull(of: bucketName, key, unless: bucket.versioning == .enabled)
      try session.insert(bucketName, marker)
      return .success((Deletion(version: marker.version, isMarker: true), gone))
    }
    for name in gone where !name.isEmpty { files.remove(name) }
    return deletion
  }

  /// The version that a request means, with its bucket.
  func find(
    _ bucketName: String, _ key: String, version: String?, _ call: Call
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket) {
    try await catalogue.read { session throws(Fault) in
      let bucket: S3Bucket
      switch try session.ownBucket(bucketName, call) {
      case .success(let found): bucket = found
      case .failure(let error): return .failure(error)
      }
      if let version {
        guard let object = try session.version(bucketName, key, version) else {
          return .failure(.noSuchVersion(key, version))
        }
        return object.isMarker ? .failure(.markerHasNoBytes(version)) : .success((object, bucket))
      }
      guard let object = try session.latest(bucketName, key) else { return .failure(.noSuchKey(key)) }
      return object.isMarker ? .failure(.deleted(key, object.version)) : .success((object, bucket))
    }
  }

  /// The version that a request means, with what `body` makes of its file. An object that is replaced between the two
  /// is looked up again, so that whoever reads while others write gets one whole version or another.
  /// - Parameter check: refuses the request before its file is touched.
  func reading<T: Sendable>(
    _ bucketName: String, _ key: String, version: String?, _ call: Call,
    check: (S3Object, S3Bucket) throws(AWSError) -> Void,
    _ body: @escaping @Sendable (S3Object) throws(Fault) -> T
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket, result: T) {
    var missing: String?
    while true {
      let (object, bucket) = try await find(bucketName, key, version: version, call)
      try check(object, bucket)
      let isNew = object.file != missing
      let result = try await blocking { () throws(AWSError) -> T? in
        do throws(Fault) { return try body(object) } catch {
          if error.errno == ENOENT, isNew { return nil }
          throw .service("\(error)")
        }
      }
      if let result { return (object, bucket, result) }
      missing = object.file
    }
  }
}

extension SQLSession {
  /// Removes the `null` version, which a new one replaces.
  /// - Returns: the files that are not needed any more.
  fileprivate func dropNull(of bucket: String, _ key: String, unless keeps: Bool) throws(Fault) -> [String] {
    guard !keeps, let old = try version(bucket, key, S3Object.nullVersion) else { return [] }
    try delete(bucket, old)
    return [old.file]
  }
}
