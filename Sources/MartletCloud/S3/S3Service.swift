// Amazon S3, embedded: buckets with versions, objects as files. Its table of operations is in S3Operations.swift.
// https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
import Glibc
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix

package final class S3Service: Sendable {
  let alarms: Alarms
  let door: Door
  /// For what is short.
  private let threads: NIOThreadPool
  /// Events that others are to be told of.
  let outbox: Outbox
  let sweep: S3Sweep
  let catalogue: S3Catalogue
  let files: S3Files
  let log: Logger

  /// Largest object of one request: 5 GiB.
  package static let largestUpload = ByteCount.bytes(5_368_709_120)

  package static let migrations = S3Catalogue.migrations

  var world: MovableWorld { alarms.world }

  /// Removes what a crash left behind. The database must have been migrated.
  /// - Parameter root: where the bytes of objects lie; made if it is not there.
  package init(
    database: Database, root: String, alarms: Alarms, door: Door, log: Logger, threads: NIOThreadPool = .singleton
  ) throws(Fault) {
    self.alarms = alarms
    self.door = door
    self.threads = threads
    self.log = log
    sweep = S3Sweep(alarms: alarms)
    outbox = try Outbox("s3", database: database, alarms: alarms, log: log)
    catalogue = S3Catalogue(database: database, outbox: outbox, threads: threads)
    files = try S3Files(root: root, world: alarms.world)
    files.collect(keeping: try catalogue.files())
  }

  /// Delivers events, and deletes what expires, until `stop`.
  package func run() async {
    async let lifecycles: Void = runLifecycles()
    await outbox.run { await self.deliver($0) }
    await lifecycles
  }

  package func stop() {
    outbox.stop()
    sweep.stop()
  }

  /// The bucket, for the account that owns it: until policies are evaluated, nobody else may do anything with it.
  func bucket(_ name: String, _ call: Call) async throws(AWSError) -> S3Bucket {
    try await catalogue.read { session throws(Fault) in try session.ownBucket(name, call) }
  }

  /// For what takes as long as its object is large: on the threads that everybody shares it would hold up everybody.
  private static let patient: NIOThreadPool = {
    let threads = NIOThreadPool(numberOfThreads: 8)
    threads.start()
    return threads
  }()

  /// Removes files that nothing needs any more: of large ones even that takes its time.
  func discard(_ names: [String]) async {
    let (files, names) = (files, names.filter { !$0.isEmpty })
    guard !names.isEmpty else { return }
    // What is left is collected at the next start.
    _ = try? await S3Service.patient.runIfActive { for name in names { files.remove(name) } }
  }

  /// Runs what blocks on a thread that may wait.
  /// - Parameter threads: nil = those for what may take long.
  func blocking<T: Sendable>(
    on threads: NIOThreadPool? = nil, _ body: @escaping @Sendable () throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    let result: Result<T, AWSError>
    do {
      result = try await (threads ?? S3Service.patient).runIfActive { Result { () throws(AWSError) in try body() } }
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
  /// The version that a request means, with its bucket.
  func find(
    _ bucketName: String, _ key: String, version: String?, _ call: Call
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket) {
    try await catalogue.read { session throws(Fault) in
      try session.find(bucketName, key, version: version, call)
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
      let result = try await blocking(on: threads) { () throws(AWSError) -> T? in
        do throws(Fault) { return try body(object) } catch {
          if error.errno == ENOENT, isNew { return nil }
          throw .service("\(error)")
        }
      }
      if let result { return (object, bucket, result) }
      missing = object.file
    }
  }

  /// The same for the source of a copy.
  func readingSource<T: Sendable>(
    _ source: S3CopySource, _ call: Call, check: (S3Object) throws(AWSError) -> Void,
    _ body: @escaping @Sendable (S3Object) throws(Fault) -> T
  ) async throws(AWSError) -> (object: S3Object, bucket: S3Bucket, result: T) {
    do throws(AWSError) {
      return try await reading(
        source.bucket, source.key, version: source.version, call,
        check: { (object, _) throws(AWSError) in try check(object) }, body)
    } catch {
      throw error.code == "MethodNotAllowed" ? .copyOfMarker() : error
    }
  }
}
