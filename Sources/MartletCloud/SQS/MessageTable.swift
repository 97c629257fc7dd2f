// Messages in the database: the statements, each for one store, which is what a queue holds between two purges.
import MartletCore
import MartletStore

enum MessageTable {
  static let migrations = [
    Migration(
      "sqs-1",
      [
        // The number grows with every message, so that new rows are always at the end.
        """
        CREATE TABLE sqs_messages (
          sequence INTEGER PRIMARY KEY, store BIGINT NOT NULL, due BIGINT NOT NULL, sent BIGINT NOT NULL,
          grp TEXT NOT NULL, receives BIGINT NOT NULL, first_received BIGINT NOT NULL, hidden BIGINT NOT NULL,
          details TEXT NOT NULL, body TEXT NOT NULL)
        """,
        "CREATE INDEX sqs_order ON sqs_messages (store, due, sequence)",
        """
        CREATE TABLE sqs_deduplication (
          store BIGINT NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL, sequence BIGINT NOT NULL,
          sent BIGINT NOT NULL, PRIMARY KEY (store, id))
        """,
        "CREATE INDEX sqs_deduplication_sent ON sqs_deduplication (sent)",
      ])
  ]
}

extension SQLSession {
  func insert(
    _ message: StoredMessage, store: Int64, due: Int64, receives: Int = 0, firstReceived: Int64 = 0
  ) throws(Fault) {
    try execute(
      """
      INSERT INTO sqs_messages (sequence, store, due, sent, grp, receives, first_received, hidden, details, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
      """,
      [
        .integer(message.sequence), .integer(store), .integer(due), .integer(message.sent), .text(message.group ?? ""),
        .integer(Int64(receives)), .integer(firstReceived), .text(message.details), .text(message.body),
      ])
  }

  func deleteMessage(_ sequence: Int64, store: Int64) throws(Fault) {
    try execute("DELETE FROM sqs_messages WHERE sequence = ? AND store = ?", [.integer(sequence), .integer(store)])
  }

  func hasMessage(_ sequence: Int64, store: Int64) throws(Fault) -> Bool {
    try !rows(
      "SELECT 1 AS one FROM sqs_messages WHERE sequence = ? AND store = ?", [.integer(sequence), .integer(store)]
    ).isEmpty
  }

  /// One message as it is now; nil if it is gone.
  func message(_ sequence: Int64, store: Int64) throws(Fault) -> StoredMessage? {
    try rows(
      "SELECT * FROM sqs_messages WHERE sequence = ? AND store = ?", [.integer(sequence), .integer(store)]
    ).first.map { row throws(Fault) in
      let group = row.text("grp")
      return try StoredMessage(
        sequence: sequence, sent: Int64(row.integer("sent")), group: group.isEmpty ? nil : group,
        body: row.text("body"), details: row.text("details"))
    }
  }

  /// The messages behind a position, in order; with what they hold as long as `keep` wants it.
  func page(
    store: Int64, after: QueueStateMachine.Position?, count: Int, keep: (StoredMessage) -> Bool
  ) throws(Fault) -> [QueueStateMachine.Arrival] {
    var page: [QueueStateMachine.Arrival] = []
    var keeps = true
    let after = after ?? .init(due: .min, sequence: .min)
    try forEach(
      """
      SELECT sequence, due, sent, grp, receives, first_received, hidden, details, body FROM sqs_messages
      WHERE store = ? AND (due, sequence) > (?, ?) ORDER BY due, sequence LIMIT ?
      """,
      [
        .integer(store), .integer(after.due), .integer(after.sequence), .integer(Int64(count)),
      ]
    ) { row throws(Fault) in
      let group = row.text(3)
      let (sequence, sent) = (Int64(row.integer(0)), Int64(row.integer(2)))
      page.append(
        .init(
          sequence: sequence, due: Int64(row.integer(1)), sent: sent, group: group.isEmpty ? nil : group,
          receives: row.integer(4), firstReceived: Int64(row.integer(5)), hidden: Int64(row.integer(6))))
      guard keeps else { return }
      keeps = keep(
        try StoredMessage(
          sequence: sequence, sent: sent, group: group.isEmpty ? nil : group, body: row.text(8), details: row.text(7)))
    }
    return page
  }

  /// How many messages each store has.
  func messageCounts() throws(Fault) -> [Int64: Int] {
    var counts: [Int64: Int] = [:]
    for row in try rows("SELECT store, COUNT(*) AS number FROM sqs_messages GROUP BY store") {
      counts[Int64(row.integer("store"))] = row.integer("number")
    }
    return counts
  }

  func lastMessage() throws(Fault) -> Int64 {
    Int64(try rows("SELECT MAX(sequence) AS last FROM sqs_messages").first?.optionalInteger("last") ?? 0)
  }

  /// Removes some of the messages of a store that no queue has any more.
  /// - Returns: whether there may be others.
  func clear(store: Int64, count: Int) throws(Fault) -> Bool {
    try execute(
      "DELETE FROM sqs_messages WHERE sequence IN (SELECT sequence FROM sqs_messages WHERE store = ? LIMIT ?)",
      [.integer(store), .integer(Int64(count))])
    if try !rows("SELECT 1 AS one FROM sqs_messages WHERE store = ? LIMIT 1", [.integer(store)]).isEmpty { return true }
    try execute("DELETE FROM sqs_deduplication WHERE store = ?", [.integer(store)])
    return false
  }

  /// Writes down that messages were received, for a start after a crash.
  func note(_ sequence: Int64, receives: Int, firstReceived: Int64, hidden: Int64) throws(Fault) {
    try execute(
      "UPDATE sqs_messages SET receives = ?, first_received = ?, hidden = ? WHERE sequence = ?",
      [.integer(Int64(receives)), .integer(firstReceived), .integer(hidden), .integer(sequence)])
  }

  // MARK: - Deduplication

  func remember(_ id: String, of message: StoredMessage, store: Int64) throws(Fault) {
    try execute(
      """
      INSERT INTO sqs_deduplication (store, id, message, sequence, sent) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (store, id) DO UPDATE SET
        message = excluded.message, sequence = excluded.sequence, sent = excluded.sent
      """,
      [.integer(store), .text(id), .text(message.id), .integer(message.sequence), .integer(message.sent)])
  }

  func forgetDeduplication(before moment: Int64) throws(Fault) {
    try execute("DELETE FROM sqs_deduplication WHERE sent < ?", [.integer(moment)])
  }

  func deduplication() throws(Fault) -> [(store: Int64, id: String, known: Deduplication.Known)] {
    try rows("SELECT * FROM sqs_deduplication").map { row in
      (
        Int64(row.integer("store")), row.text("id"),
        .init(message: row.text("message"), sequence: Int64(row.integer("sequence")), sent: Int64(row.integer("sent")))
      )
    }
  }
}
