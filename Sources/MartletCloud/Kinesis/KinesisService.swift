// Amazon Kinesis Data Streams, embedded: streams whose records lie in the database. Its table of operations is in
// KinesisOperations.swift. https://docs.aws.amazon.com/streams/latest/dev/introduction.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

package final class KinesisService: Sendable {
  let database: Database
  let streams: Catalogue<KinesisStream>
  let tips: ShardTips
  let alarms: Alarms
  let log: Logger
  let threads: NIOThreadPool
  /// The number of the newest record. Changed on the database's writer only.
  private let lastNumber: Mutex<Int64>
  /// Consumers that are told of records as they come.
  let subscriptions = Mutex<[ShardSubscription.Name: ShardSubscription]>([:])
  let sweep = Mutex<(alarm: Alarms.Alarm, due: Timestamp)?>(nil)

  var world: MovableWorld { alarms.world }
  var now: Int64 { world.now().milliseconds }

  package static let migrations = RecordTable.migrations

  /// The database must have been migrated.
  package init(
    database: Database, alarms: Alarms, log: Logger, threads: NIOThreadPool = .singleton
  ) throws(Fault) {
    self.database = database
    self.alarms = alarms
    self.log = log
    self.threads = threads
    lastNumber = Mutex(try database.read { session throws(Fault) in try RecordTable.lastNumber(session) })
    tips = ShardTips(try database.read { session throws(Fault) in try RecordTable.tips(session) })
    streams = try Catalogue(database: database)
    let known = Set(streams.all.map(\.store))
    for store in try database.read({ session throws(Fault) in try RecordTable.stores(session) })
    where !known.contains(store) { clear(store) }
    trim()
  }

  func newStore() -> Int64 { Int64(bitPattern: world.random() >> 2) }

  /// The number of the next record: microseconds since 1970, or one more than the last. Only on the writer.
  func nextNumber() -> Int64 {
    let now = world.now().nanoseconds / 1000
    return lastNumber.withLock { last in
      last = max(last + 1, now)
      return last
    }
  }

  // MARK: - Streams

  func find(_ reference: Kinesis.StreamReference, _ call: Call) throws(AWSError) -> KinesisStream {
    let key = try reference.key(call)
    guard let stream = streams.find(key) else { throw .kinesisNoStream(key) }
    return stream
  }

  /// Changes a stream that is there.
  @discardableResult
  func change<T: Sendable>(
    _ key: ResourceKey, _ body: @escaping @Sendable (inout KinesisStream) throws(AWSError) -> T
  ) async throws(AWSError) -> T {
    let value = try await streams.change(key) { record throws(AWSError) -> T in
      guard var stream = record else { throw .kinesisNoStream(key) }
      let value = try body(&stream)
      record = stream
      return value
    }
    // A shard may have ended.
    if let store = streams.find(key)?.store { tick { $0.store == store } }
    return value
  }

  /// Open shards of an account and region. Only for the bodies of changes.
  func openShards(in place: Place, but key: ResourceKey? = nil) -> Int {
    streams.newest(in: place).reduce(0) { $0 + ($1.key == key ? 0 : $1.open.count) }
  }

  /// Refuses what would be more shards than an account can have. Only for the bodies of changes.
  func checkShards(_ more: Int, in place: Place) throws(AWSError) {
    let open = openShards(in: place)
    guard open + more <= Kinesis.mostShards else { throw .kinesisTooManyShards(place, open: open, more: more) }
  }
}

extension KinesisService {
  /// Refuses one more stream whose shards AWS manages. Only for the bodies of changes.
  func checkOnDemandStreams(in place: Place) throws(AWSError) {
    guard streams.newest(in: place).count(where: { $0.mode == .onDemand }) < Kinesis.mostOnDemandStreams else {
      throw .kinesisLimit(
        "This request would exceed the limit of \(Kinesis.mostOnDemandStreams) streams in ON_DEMAND mode for the "
          + "account \(place.account) in \(place.region).")
    }
  }
}

extension KinesisStream {
  /// Refuses to reshard by hand what AWS manages.
  func checkProvisioned() throws(AWSError) {
    guard mode == .provisioned else {
      throw .kinesisMode(
        "Request is invalid. Stream \(key.name) under account \(key.place.account) is in On-Demand mode.")
    }
  }

  /// The shard of an id, which must be open.
  func openShard(_ id: String) throws(AWSError) -> KinesisShard {
    guard let shard = KinesisShard.index(id).flatMap({ shard($0) }) else { throw .kinesisNoShard(id, in: self) }
    guard shard.isOpen else {
      throw .kinesisInvalid(
        "Shard \(id) in stream \(key.name) under account \(key.place.account) has already been merged or split, "
          + "and thus is not eligible for merging or splitting.")
    }
    return shard
  }

  /// Refuses a caller who means another stream that had this name.
  /// - Parameter created: in seconds since 1970.
  func check(created: Double?) throws(AWSError) {
    if let created, Int64(min(max(created, -9e9), 9e9)) != self.created / 1000 { throw .kinesisNoStream(key) }
  }
}

extension Kinesis.StreamReference {
  /// The stream's key for a caller.
  /// - Throws: InvalidArgumentException without a name, and for a name that is not the ARN's.
  func key(_ call: Call) throws(AWSError) -> ResourceKey {
    guard let text = arn else {
      guard let name else { throw .kinesisInvalid("Either StreamName or StreamARN should be provided.") }
      return ResourceKey(place: call.place, name: name)
    }
    guard let arn = ARN(text), let account = Account(arn.account), let region = Region(arn.region),
      arn.resource.hasPrefix("stream/")
    else { throw .kinesisInvalid("The StreamARN \(text) is not valid.") }
    let named = String(arn.resource.dropFirst("stream/".count))
    if let name, name != named { throw .kinesisInvalid("The StreamName \(name) and the StreamARN \(text) differ.") }
    let place = Place(account: account, region: region)
    if case .service = call.caller {
    } else if place != call.place {
      // Until policies are evaluated, nobody but the owner may do anything with a stream.
      throw .kinesisNoStream(ResourceKey(place: place, name: named))
    }
    return ResourceKey(place: place, name: named)
  }
}
