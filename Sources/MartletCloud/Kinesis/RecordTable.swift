// Records in the database: rows that are only ever added at the end, until they are too old.
import MartletCore
import MartletStore
import MartletWire

/// A record as it is kept.
struct KinesisRecord: Sendable {
  /// Grows with every record of the server.
  let number: Int64
  /// Milliseconds since 1970.
  let arrived: Int64
  let partitionKey: String
  let data: [UInt8]

  func write(to w: inout MemberWriter, of stream: KinesisStream, _ shard: KinesisShard) {
    w.member("SequenceNumber", KinesisService.sequence(number, arrived, shard).text)
    w.moment("ApproximateArrivalTimestamp", Timestamp(milliseconds: arrived))
    w.blob("Data", data)
    w.member("PartitionKey", partitionKey.isEmpty ? nil : partitionKey)
    w.member("EncryptionType", stream.encryption)
  }
}

/// Some records of a shard, in order.
struct RecordPage: Sendable {
  var records: [KinesisRecord] = []
  /// True if there are others behind them.
  var isMore = false
}

enum RecordTable {
  static let migrations = [
    Migration(
      "kinesis-1",
      [
        """
        CREATE TABLE kinesis_records (
          number INTEGER PRIMARY KEY, store BIGINT NOT NULL, shard BIGINT NOT NULL, arrived BIGINT NOT NULL,
          partition_key TEXT NOT NULL, data BLOB NOT NULL)
        """,
        "CREATE INDEX kinesis_records_order ON kinesis_records (store, shard, number)",
      ])
  ]

  static func insert(_ record: KinesisRecord, store: Int64, shard: Int, _ session: SQLSession) throws(Fault) {
    try session.execute(
      "INSERT INTO kinesis_records (number, store, shard, arrived, partition_key, data) VALUES (?, ?, ?, ?, ?, ?)",
      [
        .integer(record.number), .integer(store), .integer(Int64(shard)), .integer(record.arrived),
        .text(record.partitionKey), .blob(record.data),
      ])
  }

  /// The number of the newest record.
  static func lastNumber(_ session: SQLSession) throws(Fault) -> Int64 {
    Int64(try session.rows("SELECT MAX(number) AS last FROM kinesis_records").first?.optionalInteger("last") ?? 0)
  }

  /// The numbers of the newest records, by store and shard.
  static func tips(_ session: SQLSession) throws(Fault) -> [ShardTips.Name: Int64] {
    var tips: [ShardTips.Name: Int64] = [:]
    try session.forEach("SELECT store, shard, MAX(number) FROM kinesis_records GROUP BY store, shard") { row in
      tips[ShardTips.Name(store: Int64(row.integer(0)), shard: row.integer(1))] = Int64(row.integer(2))
    }
    return tips
  }

  /// The records behind a number that came after the horizon: no more than `count` of them, nor than `bytes` with their
  /// keys, but always one.
  static func page(
    _ name: ShardTips.Name, after: Int64, horizon: Int64, count: Int, bytes: Int, _ session: SQLSession
  ) throws(Fault) -> RecordPage {
    // First how long they are, so that no more is read than is asked for.
    var (last, found, size, isFull) = (after, 0, 0, false)
    try session.forEach(
      """
      SELECT number, LENGTH(data) + LENGTH(partition_key) FROM kinesis_records
      WHERE store = ? AND shard = ? AND number > ? AND arrived > ? ORDER BY number LIMIT ?
      """,
      [
        .integer(name.store), .integer(Int64(name.shard)), .integer(after), .integer(horizon),
        .integer(Int64(count + 1)),
      ]
    ) { row in
      guard !isFull else { return }
      size += row.integer(1)
      if found == count || found > 0 && size > bytes {
        isFull = true
      } else {
        found += 1
        last = Int64(row.integer(0))
      }
    }
    var page = RecordPage(isMore: isFull)
    guard found > 0 else { return page }
    page.records.reserveCapacity(found)
    try session.forEach(
      """
      SELECT number, arrived, partition_key, data FROM kinesis_records
      WHERE store = ? AND shard = ? AND number > ? AND number <= ? AND arrived > ? ORDER BY number
      """,
      [
        .integer(name.store), .integer(Int64(name.shard)), .integer(after), .integer(last), .integer(horizon),
      ]
    ) { row in
      page.records.append(
        KinesisRecord(
          number: Int64(row.integer(0)), arrived: Int64(row.integer(1)), partitionKey: row.text(2), data: row.blob(3)))
    }
    return page
  }

  /// The number of the first record that came at `moment` or later; nil if there is none.
  static func first(_ name: ShardTips.Name, since moment: Int64, _ session: SQLSession) throws(Fault) -> Int64? {
    // Numbers and times grow together.
    try session.rows(
      """
      SELECT number FROM kinesis_records WHERE store = ? AND shard = ? AND arrived >= ? ORDER BY number LIMIT 1
      """,
      [.integer(name.store), .integer(Int64(name.shard)), .integer(moment)]
    ).first.map { Int64($0.integer("number")) }
  }

  /// Removes the oldest records of a shard, as far as they came at the horizon or before and no more than `count`.
  /// - Returns: whether there may be others, and otherwise when the oldest one came that is left.
  static func trim(
    _ name: ShardTips.Name, horizon: Int64, count: Int, _ session: SQLSession
  ) throws(Fault) -> (isMore: Bool, oldest: Int64?) {
    var (last, found): (Int64?, Int) = (nil, 0)
    var oldest: Int64?
    try session.forEach(
      "SELECT number, arrived FROM kinesis_records WHERE store = ? AND shard = ? ORDER BY number LIMIT ?",
      [.integer(name.store), .integer(Int64(name.shard)), .integer(Int64(count + 1))]
    ) { row in
      guard oldest == nil else { return }
      if Int64(row.integer(1)) > horizon || found == count {
        oldest = Int64(row.integer(1))
      } else {
        found += 1
        last = Int64(row.integer(0))
      }
    }
    if let last {
      try session.execute(
        "DELETE FROM kinesis_records WHERE store = ? AND shard = ? AND number <= ?",
        [.integer(name.store), .integer(Int64(name.shard)), .integer(last)])
    }
    return (found == count && (oldest ?? .max) <= horizon, oldest)
  }

  /// Removes some records of a stream that is no more.
  /// - Returns: whether there may be others.
  static func clear(_ store: Int64, count: Int, _ session: SQLSession) throws(Fault) -> Bool {
    try session.execute(
      "DELETE FROM kinesis_records WHERE number IN (SELECT number FROM kinesis_records WHERE store = ? LIMIT ?)",
      [.integer(store), .integer(Int64(count))])
    return try !session.rows("SELECT 1 AS one FROM kinesis_records WHERE store = ? LIMIT 1", [.integer(store)]).isEmpty
  }

  /// The streams that records are kept of.
  static func stores(_ session: SQLSession) throws(Fault) -> [Int64] {
    var stores: [Int64] = []
    try session.forEach("SELECT DISTINCT store FROM kinesis_records") { stores.append(Int64($0.integer(0))) }
    return stores
  }
}
