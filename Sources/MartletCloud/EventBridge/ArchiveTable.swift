// The events of archives in the database: a row each, in the order in which they happened.
import MartletCore
import MartletStore

enum ArchiveTable {
  struct Row: Sendable {
    let number: Int64
    let store: Int64
    /// When it happened. Milliseconds since 1970.
    let time: Int64
    /// When it was put on the bus. Milliseconds since 1970.
    let put: Int64
    /// Of its archive; 0 = for ever.
    let retentionDays: Int
    let event: String
  }

  struct Size: Sendable, Equatable {
    var events = 0
    var bytes = 0
  }

  /// A place in an archive: the last event that was read.
  struct Mark: Sendable {
    var time: Int64
    var number: Int64
  }

  static let migrations = [
    Migration(
      "eventbridge-archive-1",
      [
        """
        CREATE TABLE event_archive (
          number BIGINT NOT NULL PRIMARY KEY, store BIGINT NOT NULL, time BIGINT NOT NULL, put BIGINT NOT NULL,
          size BIGINT NOT NULL, event TEXT NOT NULL)
        """,
        "CREATE INDEX event_archive_time ON event_archive (store, time, number)",
        "CREATE INDEX event_archive_put ON event_archive (store, put)",
      ])
  ]

  static func write(_ rows: [Row], _ session: SQLSession) throws(Fault) {
    for row in rows {
      try session.execute(
        "INSERT INTO event_archive (number, store, time, put, size, event) VALUES (?, ?, ?, ?, ?, ?)",
        [
          .integer(row.number), .integer(row.store), .integer(row.time), .integer(row.put),
          .integer(Int64(row.event.utf8.count)), .text(row.event),
        ])
    }
  }

  /// The number of the newest event.
  static func lastNumber(_ session: SQLSession) throws(Fault) -> Int64 {
    Int64(try session.rows("SELECT MAX(number) AS last FROM event_archive").first?.optionalInteger("last") ?? 0)
  }

  /// Of what is not forgotten.
  static func size(_ store: Int64, after horizon: Int64, _ session: SQLSession) throws(Fault) -> Size {
    var size = Size()
    try session.forEach(
      "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM event_archive WHERE store = ? AND put > ?",
      [.integer(store), .integer(horizon)]
    ) { row in size = Size(events: row.integer(0), bytes: row.integer(1)) }
    return size
  }

  /// Events that happened after the mark and before the end, no more than `count`.
  static func read(
    _ store: Int64, after mark: Mark, until end: Int64, put horizon: Int64, count: Int, _ session: SQLSession
  ) throws(Fault) -> [(mark: Mark, event: String)] {
    var found: [(mark: Mark, event: String)] = []
    try session.forEach(
      """
      SELECT time, number, event FROM event_archive
      WHERE store = ? AND (time > ? OR (time = ? AND number > ?)) AND time <= ? AND put > ?
      ORDER BY time, number LIMIT ?
      """,
      [
        .integer(store), .integer(mark.time), .integer(mark.time), .integer(mark.number), .integer(end),
        .integer(horizon), .integer(Int64(count)),
      ]
    ) { row in
      found.append((Mark(time: Int64(row.integer(0)), number: Int64(row.integer(1))), row.text(2)))
    }
    return found
  }

  /// When the oldest event was put; nil if there is none. Milliseconds since 1970.
  static func oldest(_ store: Int64, _ session: SQLSession) throws(Fault) -> Int64? {
    try session.rows("SELECT MIN(put) AS put FROM event_archive WHERE store = ?", [.integer(store)])
      .first?.optionalInteger("put").map { Int64($0) }
  }

  static func forget(_ store: Int64, until horizon: Int64, _ session: SQLSession) throws(Fault) {
    try session.execute(
      "DELETE FROM event_archive WHERE store = ? AND put <= ?", [.integer(store), .integer(horizon)])
  }
}
