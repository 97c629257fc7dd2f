// The audit on disk: a database of its own, so that its writes hold up nobody else's.
import MartletCore
import MartletStore
import MartletWire

final class AuditStore: Sendable {
  private let database: Database

  static let migrations = [
    Migration(
      "audit-1",
      [
        """
        CREATE TABLE events (
          seq INTEGER NOT NULL PRIMARY KEY, id TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
          time INTEGER NOT NULL, is_data INTEGER NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,
          is_read_only TEXT NOT NULL, user TEXT NOT NULL, access_key TEXT NOT NULL, bytes INTEGER NOT NULL,
          document TEXT NOT NULL)
        """,
        "CREATE INDEX events_time ON events (account, region, is_data, time, seq)",
        "CREATE INDEX events_id ON events (id)",
        "CREATE TABLE resources (event INTEGER NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL)",
        "CREATE INDEX resources_event ON resources (event)",
        "CREATE TABLE owed (trail TEXT NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (trail, event))",
        "CREATE INDEX owed_event ON owed (event)",
        "CREATE TABLE totals (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)",
        "INSERT INTO totals (name, value) VALUES ('bytes', 0)",
        "INSERT INTO totals (name, value) VALUES ('seq', 0)",
      ])
  ]

  init(path: String) throws(Fault) {
    database = try Database(path: path)
    try database.migrate(AuditStore.migrations)
  }

  struct Arrival: Sendable {
    let record: AuditRecord
    /// ARNs of the trails that it is to be delivered to.
    let trails: [String]
  }

  private static func total(_ name: String, _ session: SQLSession) throws(Fault) -> Int {
    try session.rows("SELECT value FROM totals WHERE name = ?", [.text(name)]).first?.integer("value") ?? 0
  }

  private static func setTotal(_ name: String, _ value: Int, _ session: SQLSession) throws(Fault) {
    try session.execute("UPDATE totals SET value = ? WHERE name = ?", [.integer(Int64(value)), .text(name)])
  }

  /// On disk when it returns.
  func append(_ arrivals: [Arrival]) async throws(Fault) {
    try await database.write { session in
      var bytes = try AuditStore.total("bytes", session)
      var seq = try AuditStore.total("seq", session)
      for arrival in arrivals {
        let record = arrival.record
        seq += 1
        bytes += record.text.utf8.count
        try session.execute(
          """
          INSERT INTO events (seq, id, account, region, time, is_data, name, source, is_read_only, user, access_key,
            bytes, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
          [
            .integer(Int64(seq)), .text(record.id), .text(record.place.account.id), .text(record.place.region.name),
            .integer(record.time), .integer(record.isData ? 1 : 0), .text(record.name), .text(record.source),
            .text(record.isReadOnly ? "true" : "false"), .text(record.userName ?? ""), .text(record.accessKey ?? ""),
            .integer(Int64(record.text.utf8.count)), .text(record.text),
          ])
        for resource in record.resources where !record.isData {
          try session.execute(
            "INSERT INTO resources (event, type, name) VALUES (?, ?, ?)",
            [.integer(Int64(seq)), .text(resource.type), .text(resource.name)])
        }
        for trail in arrival.trails {
          try session.execute(
            "INSERT INTO owed (trail, event) VALUES (?, ?)", [.text(trail), .integer(Int64(seq))])
        }
      }
      try AuditStore.setTotal("bytes", bytes, session)
      try AuditStore.setTotal("seq", seq, session)
    }
  }

  // MARK: - Reading; blocking

  /// Bytes of all documents.
  func size() throws(Fault) -> Int { try database.read { try AuditStore.total("bytes", $0) } }

  /// A place in a list of events.
  struct Position: Sendable, Equatable {
    let time: Int64
    let seq: Int64
  }

  struct Found: Sendable {
    let position: Position
    let id: String
    let name: String
    let source: String
    let isReadOnly: String
    let user: String
    let accessKey: String
    let document: String
    let resources: [AuditNames.Resource]
  }

  private static let columns = [
    "AccessKeyId": "access_key", "EventId": "id", "EventName": "name", "EventSource": "source",
    "ReadOnly": "is_read_only", "Username": "user",
  ]

  /// Management events of a span of time (milliseconds since 1970, both ends included), the latest first.
  func events(
    in place: Place, from start: Int64, to end: Int64, where attribute: (key: String, value: String)?,
    after: Position?, count: Int
  ) throws(Fault) -> [Found] {
    var condition = ""
    var values: [SQLValue] = []
    if let attribute {
      values = [.text(attribute.value)]
      if let column = AuditStore.columns[attribute.key] {
        condition = "AND \(column) = ?"
      } else {
        let column = attribute.key == "ResourceType" ? "type" : "name"
        condition =
          "AND EXISTS (SELECT 1 FROM resources WHERE resources.event = events.seq AND resources.\(column) = ?)"
      }
    }
    let after = after ?? Position(time: .max, seq: .max)
    return try database.read { session in
      let rows = try session.rows(
        """
        SELECT seq, id, time, name, source, is_read_only, user, access_key, document FROM events
        WHERE account = ? AND region = ? AND is_data = 0 AND time BETWEEN ? AND ? \(condition)
        AND (time < ? OR (time = ? AND seq < ?)) ORDER BY time DESC, seq DESC LIMIT ?
        """,
        [.text(place.account.id), .text(place.region.name), .integer(start), .integer(end)] + values + [
          .integer(after.time), .integer(after.time), .integer(after.seq), .integer(Int64(count)),
        ])
      var found: [Found] = []
      for row in rows {
        let seq = Int64(row.integer("seq"))
        let resources = try session.rows("SELECT type, name FROM resources WHERE event = ?", [.integer(seq)])
        found.append(
          Found(
            position: Position(time: Int64(row.integer("time")), seq: seq), id: row.text("id"),
            name: row.text("name"), source: row.text("source"), isReadOnly: row.text("is_read_only"),
            user: row.text("user"), accessKey: row.text("access_key"), document: row.text("document"),
            resources: resources.map { .init(type: $0.text("type"), name: $0.text("name")) }))
      }
      return found
    }
  }

  // MARK: - Trails

  /// The ARNs of trails that are owed something.
  func debtors() throws(Fault) -> [String] {
    try database.read { try $0.rows("SELECT DISTINCT trail FROM owed").map { $0.text("trail") } }
  }

  struct Owed: Sendable {
    let seq: Int64
    let region: String
    let time: Int64
    let document: String
  }

  /// What a trail is owed, the earliest first: events of one region.
  func owed(_ trail: String, count: Int) throws(Fault) -> [Owed] {
    try database.read { session in
      let rows = try session.rows(
        """
        SELECT seq, region, time, document FROM owed JOIN events ON events.seq = owed.event
        WHERE trail = ? ORDER BY owed.event LIMIT ?
        """, [.text(trail), .integer(Int64(count))])
      let all = rows.map {
        Owed(
          seq: Int64($0.integer("seq")), region: $0.text("region"), time: Int64($0.integer("time")),
          document: $0.text("document"))
      }
      return all.filter { $0.region == all.first?.region }
    }
  }

  /// Says that a trail has got something. Data events that nobody waits for any more are removed.
  func settle(_ trail: String, _ events: [Int64]) async throws(Fault) {
    try await database.write { session in
      for event in events {
        try session.execute("DELETE FROM owed WHERE trail = ? AND event = ?", [.text(trail), .integer(event)])
      }
      try AuditStore.forget(events, session)
    }
  }

  /// Forgets a trail.
  func remove(_ trail: String) async throws(Fault) {
    try await database.write { session in
      let events = try session.rows("SELECT event FROM owed WHERE trail = ?", [.text(trail)])
      try session.execute("DELETE FROM owed WHERE trail = ?", [.text(trail)])
      try AuditStore.forget(events.map { Int64($0.integer("event")) }, session)
    }
  }

  private static func forget(_ events: [Int64], _ session: SQLSession) throws(Fault) {
    var bytes = try total("bytes", session)
    for event in events {
      let rows = try session.rows(
        """
        SELECT bytes FROM events WHERE seq = ? AND is_data = 1
        AND NOT EXISTS (SELECT 1 FROM owed WHERE owed.event = events.seq)
        """, [.integer(event)])
      guard let row = rows.first else { continue }
      bytes -= row.integer("bytes")
      try session.execute("DELETE FROM events WHERE seq = ?", [.integer(event)])
    }
    try setTotal("bytes", bytes, session)
  }

  // MARK: - Limits

  /// Removes what happened before a moment (milliseconds since 1970), and the oldest events until no more than `bytes`
  /// are left. A batch at a time, so that writers come in between.
  func sweep(before horizon: Int64, keeping bytes: Int) async throws(Fault) {
    while try await database.write({ try AuditStore.sweep($0, before: horizon, keeping: bytes) }) {}
  }

  private static let batch = 500

  /// - Returns: true if there may be more to remove.
  private static func sweep(_ session: SQLSession, before horizon: Int64, keeping bytes: Int) throws(Fault) -> Bool {
    var total = try total("bytes", session)
    var doomed: [Int64] = []
    let oldest = try session.rows(
      "SELECT seq, time, bytes FROM events ORDER BY seq LIMIT ?", [.integer(Int64(batch))])
    for row in oldest {
      guard row.integer("time") < horizon || total > bytes else { break }
      total -= row.integer("bytes")
      doomed.append(Int64(row.integer("seq")))
    }
    guard !doomed.isEmpty else { return false }
    for event in doomed {
      for table in ["resources WHERE event", "owed WHERE event", "events WHERE seq"] {
        try session.execute("DELETE FROM \(table) = ?", [.integer(event)])
      }
    }
    try setTotal("bytes", total, session)
    return doomed.count == batch
  }
}
