// Records in and out: what is put is one transaction, and is read once it is on disk.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

extension KinesisService {
  private enum Outcome: Sendable {
    case absent
    case put([Kinesis.Placed], tips: [ShardTips.Name: Int64], retention: Int, encryption: String)
  }

  // MARK: - Putting

  /// Puts records that were checked, in their order.
  func put(
    _ records: [Kinesis.Outgoing], to stream: KinesisStream
  ) async throws(AWSError) -> (placed: [Kinesis.Placed], encryption: String) {
    let hashes = records.map { record -> UInt128 in
      if !stream.isByKey { return UInt128(world.random()) << 64 | UInt128(world.random()) }
      return record.explicitHash.flatMap { UInt128($0) } ?? KinesisShard.hash(record.partitionKey ?? "")
    }
    let key = stream.key
    let outcome: Result<Outcome, Fault> = await withCheckedContinuation { continuation in
      database.enqueue(
        { session in
          guard let stream = self.streams.newest(key) else { return Outcome.absent }
          return try self.insert(records, hashes, stream, session)
        },
        ended: { result in
          // Before any later transaction, so that nobody reads behind the tip.
          if case .success(.put(_, let tips, _, _)) = result {
            for (name, number) in tips { self.tips.advance(name, to: number) }
            self.poke { tips[$0] != nil }
          }
          continuation.resume(returning: result)
        })
    }
    switch outcome {
    case .success(.absent): throw .kinesisNoStream(key)
    case .success(.put(let placed, _, let retention, let encryption)):
      armTrim(at: world.now() + .seconds(retention * 3600))
      return (placed, encryption)
    case .failure(let fault): throw .kinesisFailure("\(fault)")
    }
  }

  private func insert(
    _ records: [Kinesis.Outgoing], _ hashes: [UInt128], _ stream: KinesisStream, _ session: SQLSession
  ) throws(Fault) -> Outcome {
    let now = self.now
    var placed: [Kinesis.Placed] = []
    var tips: [ShardTips.Name: Int64] = [:]
    for (record, hash) in zip(records, hashes) {
      guard let shard = stream.shard(for: hash) else {
        throw Fault("put a record", "no shard of \(stream.key.name) is open for a hash key")
      }
      let number = nextNumber()
      try RecordTable.insert(
        KinesisRecord(
          number: number, arrived: now, partitionKey: record.partitionKey ?? "",
          data: Array(record.data.readableBytesView)),
        store: stream.store, shard: shard.index, session)
      tips[ShardTips.Name(store: stream.store, shard: shard.index)] = number
      placed.append(
        Kinesis.Placed(shard: shard.id, sequence: KinesisService.sequence(number, now, shard).text))
    }
    return .put(placed, tips: tips, retention: stream.retention, encryption: stream.encryption)
  }

  static func sequence(_ number: Int64, _ arrived: Int64, _ shard: KinesisShard) -> SequenceNumber {
    SequenceNumber(
      shardCreated: shard.stamp, index: UInt64(number), time: arrived / 1000, shard: UInt32(shard.index))
  }

  /// Refuses records that a stream does not take.
  func check(_ records: [Kinesis.Outgoing], for stream: KinesisStream, isBatch: Bool) throws(AWSError) {
    var total = 0
    for (position, record) in records.enumerated() {
      if let text = record.explicitHash, UInt128(text) == nil { throw .kinesisInvalidHash(text) }
      if let key = record.partitionKey {
        guard (1...256).contains(key.unicodeScalars.count) else { throw .kinesisInvalidKey(key) }
      } else if stream.isByKey {
        throw .kinesisInvalid("A PartitionKey is required unless the stream's RecordDistributionStrategy is AUTO.")
      }
      let size = record.data.readableBytes + (record.partitionKey?.utf8.count ?? 0)
      guard record.data.readableBytes <= stream.largestRecord, size <= stream.largestRecord else {
        throw .kinesisTooLarge(isBatch ? "records.\(position + 1).member.data" : "data", limit: stream.largestRecord)
      }
      total += size
    }
    guard total <= Kinesis.largestRequest else { throw .kinesisRequestTooLarge() }
  }

  // MARK: - Reading

  /// The records behind an iterator, of its stream as it is now.
  func page(_ iterator: ShardIterator, of stream: KinesisStream, count: Int) async throws(AWSError) -> RecordPage {
    let name = ShardTips.Name(store: stream.store, shard: iterator.shard)
    guard tips.tip(name) > iterator.after else { return RecordPage() }
    let horizon = stream.horizon(now)
    return try await reading { session throws(Fault) in
      try RecordTable.page(
        name, after: iterator.after, horizon: horizon, count: count, bytes: Kinesis.largestAnswer, session)
    }
  }

  /// The number behind which the records lie that came at `moment` or later.
  func number(before moment: Int64, _ name: ShardTips.Name) async throws(AWSError) -> Int64 {
    // All that is on disk by now is looked at, and what is not comes behind it.
    let tip = tips.tip(name)
    let first = try await reading { session throws(Fault) in
      try RecordTable.first(name, since: moment, session)
    }
    return first.map { $0 - 1 } ?? tip
  }

  private func reading<T: Sendable>(
    _ body: @escaping @Sendable (SQLSession) throws(Fault) -> T
  ) async throws(AWSError) -> T {
    let database = self.database
    do {
      return try await threads.runIfActive { try database.read { session throws(Fault) in try body(session) } }
    } catch {
      throw .kinesisFailure("\(error)")
    }
  }
}
