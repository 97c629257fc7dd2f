// Segments on disk: a database of their own, so that their many small writes hold up nobody else's.
import MartletCore
import MartletStore
import MartletWire

final class TraceStore: Sendable {
  private let database: Database

  static let migrations = [
    Migration(
      "traces-1",
      [
        """
        CREATE TABLE segments (
          account TEXT NOT NULL, region TEXT NOT NULL, trace TEXT NOT NULL, segment TEXT NOT NULL,
          begun INTEGER NOT NULL, received INTEGER NOT NULL, bytes INTEGER NOT NULL, document TEXT NOT NULL,
          PRIMARY KEY (account, region, trace, segment))
        """,
        "CREATE INDEX segments_begun ON segments (begun, trace)",
        "CREATE INDEX segments_received ON segments (received)",
        "CREATE TABLE totals (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)",
        "INSERT INTO totals (name, value) VALUES ('bytes', 0)",
      ])
  ]

  init(path: String) throws(Fault) {
    database = try Database(path: path)
    try database.migrate(TraceStore.migrations)
  }

  struct Arrival: Sendable {
    let place: Place
    let segment: TraceSegment
    /// Milliseconds since 1970.
    let received: Int64
  }

  /// On disk when it returns. A later document replaces the one with the same id.
  func append(_ arrivals: [Arrival]) async throws(Fault) {
    try await database.write { session in
      var growth = 0
      for arrival in arrivals {
        let text = arrival.segment.json.text
        let name: [SQLValue] = [
          .text(arrival.place.account.id), .text(arrival.place.region.name),
          .text(arrival.segment.traceID.description),
          .text(arrival.segment.id),
        ]
        let old = try session.rows(
          "SELECT bytes FROM segments WHERE account = ? AND region = ? AND trace = ? AND segment = ?",
          name)
        growth += text.utf8.count - (old.first?.integer("bytes") ?? 0)
        try session.execute(
          """
          INSERT INTO segments (account, region, trace, segment, begun, received, bytes, document)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (account, region, trace, segment) DO UPDATE
          SET received = excluded.received, bytes = excluded.bytes, document = excluded.document
          """,
          name + [
            .integer(arrival.segment.traceID.epoch * 1000), .integer(arrival.received),
            .integer(Int64(text.utf8.count)), .text(text),
          ])
      }
      try session.execute(
        "UPDATE totals SET value = value + ? WHERE name = 'bytes'", [.integer(Int64(growth))])
    }
  }

  // MARK: - Reading; blocking

  /// Bytes of all documents.
  func size() throws(Fault) -> Int {
    try database.read {
      try $0.rows("SELECT value FROM totals WHERE name = 'bytes'").first?.integer("value") ?? 0
    }
  }

  /// A place in a list of traces.
  struct Position: Sendable, Equatable {
    let begun: Int64
    let trace: String
  }

  /// Traces with something in a span of time (milliseconds since 1970, the end included), the earliest first.
  /// - Parameter byArrival: their segments came in then; else the traces began then.
  func traces(
    in place: Place, from start: Int64, to end: Int64, byArrival: Bool, after: Position?, count: Int
  ) throws(Fault) -> [Position] {
    try database.read { session in
      let after = after ?? Position(begun: .min, trace: "")
      return try session.rows(
        """
        SELECT DISTINCT begun, trace FROM segments
        WHERE account = ? AND region = ? AND \(byArrival ? "received" : "begun") BETWEEN ? AND ?
        AND (begun > ? OR (begun = ? AND trace > ?)) ORDER BY begun, trace LIMIT ?
        """,
        [
          .text(place.account.id), .text(place.region.name), .integer(start), .integer(end),
          .integer(after.begun),
          .integer(after.begun), .text(after.trace), .integer(Int64(count)),
        ]
      ).map { Position(begun: Int64($0.integer("begun")), trace: $0.text("trace")) }
    }
  }

  /// A trace, unless it began before a moment (milliseconds since 1970) or is not there.
  func trace(_ id: TraceID, in place: Place, notBefore horizon: Int64) throws(Fault) -> Trace? {
    guard id.epoch * 1000 >= horizon else { return nil }
    let segments = try database.read { session in
      var found: [TraceSegment] = []
      try session.forEach(
        "SELECT document FROM segments WHERE account = ? AND region = ? AND trace = ?",
        [.text(place.account.id), .text(place.region.name), .text(id.description)]
      ) { cells in
        if let segment = try? TraceSegment(cells.text(0)) { found.append(segment) }
      }
      return found
    }
    return segments.isEmpty ? nil : Trace(id: id.description, segments)
  }

  // MARK: - Limits

  /// Removes what began before a moment (milliseconds since 1970), and the oldest traces until no more than `bytes` are
  /// left. A batch at a time, so that writers come in between.
  func sweep(before horizon: Int64, keeping bytes: Int) async throws(Fault) {
    while try await database.write({ session in
      try TraceStore.sweep(session, before: horizon, keeping: bytes)
    }) {}
  }

  private static let batch = 500

  /// - Returns: true if there may be more to remove.
  private static func sweep(_ session: SQLSession, before horizon: Int64, keeping bytes: Int)
    throws(Fault) -> Bool
  {
    var total =
      try session.rows("SELECT value FROM totals WHERE name = 'bytes'").first?.integer("value") ?? 0
    var doomed: [(row: Int64, bytes: Int)] = []
    let oldest = try session.rows(
      "SELECT rowid AS row, begun, bytes FROM segments ORDER BY begun, trace LIMIT ?",
      [.integer(Int64(batch))])
    for row in oldest {
      guard row.integer("begun") < horizon || total > bytes else { break }
      total -= row.integer("bytes")
      doomed.append((Int64(row.integer("row")), row.integer("bytes")))
    }
    guard !doomed.isEmpty else { return false }
    for row in doomed {
      try session.execute("DELETE FROM segments WHERE rowid = ?", [.integer(row.row)])
    }
    try session.execute(
      "UPDATE totals SET value = ? WHERE name = 'bytes'", [.integer(Int64(total))])
    return doomed.count == batch
  }
}
