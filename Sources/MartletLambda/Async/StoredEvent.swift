// An event as it lies in the database: from the moment when it is accepted until it is over and its records are
// delivered. The payload lies in the row, whatever its size (docs/async.md says why).
import MartletCore
import MartletStore
import MartletWire
import NIOCore

struct StoredEvent: Sendable {
  let id: Int64
  let function: FunctionReference
  /// The same for all attempts.
  let requestID: RequestID
  let traceHeader: String
  var retry: Retry
  let payload: ByteBuffer
  /// Set once the event is over: what remains is to deliver this.
  var outcome: EventOutcome?

  var key: EventLanes.Key { EventLanes.Key(function, isDelivery: outcome != nil) }

  /// The event as JSON; an invocation without payload has an empty object.
  var event: ByteBuffer { payload.readableBytes > 0 ? payload : ByteBuffer(string: "{}") }
}

/// How an event ended, and who is still to be told.
struct EventOutcome: Sendable {
  let condition: EventCondition
  let ended: Timestamp
  /// What the function said last; nil if it never ran, or if its last answer is long gone.
  var response: Response?
  /// For a dead-letter queue: an HTTP status, and words.
  var errorCode = 200
  var errorMessage = ""
  var targets: [EventTarget]

  struct Response: Sendable {
    let payload: ByteBuffer
    let executedVersion: String
    let functionError: String?
  }
}

/// Where a finished event goes.
struct EventTarget: Sendable, Equatable {
  enum Kind: String, Sendable {
    case destination
    case deadLetter = "dead-letter"
  }

  let kind: Kind
  let arn: String
}

// MARK: - In the database

package enum EventTable {
  package static let migrations = [
    Migration(
      "lambda-events-1",
      [
        """
        CREATE TABLE lambda_events (
          id BIGINT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
          qualifier TEXT NOT NULL, request_id TEXT NOT NULL, trace_header TEXT NOT NULL, accepted BIGINT NOT NULL,
          due BIGINT NOT NULL, attempts BIGINT NOT NULL, payload BLOB NOT NULL, outcome TEXT NOT NULL,
          response BLOB NOT NULL)
        """
      ])
  ]

  /// Who waits, without what. In the order in which they were accepted.
  static func forEachWaiting(
    _ session: SQLSession, _ body: (Int64, EventLanes.Key, _ due: Timestamp) -> Void
  ) throws(Fault) {
    try session.forEach(
      "SELECT id, account, region, name, qualifier, due, length(outcome) FROM lambda_events ORDER BY id"
    ) { (row) throws(Fault) in
      let function = try function(
        account: row.text(1), region: row.text(2), name: row.text(3), qualifier: row.text(4))
      body(
        Int64(row.integer(0)), EventLanes.Key(function, isDelivery: row.integer(6) > 0),
        Timestamp(nanoseconds: Int64(row.integer(5))))
    }
  }

  static func find(_ id: Int64, _ session: SQLSession) throws(Fault) -> StoredEvent? {
    guard let row = try session.rows("SELECT * FROM lambda_events WHERE id = ?", [.integer(id)]).first else {
      return nil
    }
    let function = try function(
      account: row.text("account"), region: row.text("region"), name: row.text("name"),
      qualifier: row.text("qualifier"))
    guard let requestID = RequestID(row.text("request_id")) else { throw damaged(id) }
    var event = StoredEvent(
      id: id, function: function, requestID: requestID, traceHeader: row.text("trace_header"),
      retry: Retry(
        accepted: Timestamp(nanoseconds: Int64(row.integer("accepted"))), attempts: row.integer("attempts")),
      payload: ByteBuffer(bytes: row.blob("payload")))
    let outcome = row.text("outcome")
    if !outcome.isEmpty {
      guard let json = try? JSONValue(parsing: outcome),
        let read = EventOutcome(json: json, response: ByteBuffer(bytes: row.blob("response")))
      else { throw damaged(id) }
      event.outcome = read
    }
    return event
  }

  static func insert(_ event: StoredEvent, _ session: SQLSession) throws(Fault) {
    try session.execute(
      """
      INSERT INTO lambda_events (id, account, region, name, qualifier, request_id, trace_header, accepted, due,
        attempts, payload, outcome, response) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?)
      """,
      [
        .integer(event.id), .text(event.function.key.place.account.id), .text(event.function.key.place.region.name),
        .text(event.function.key.name), .text(event.function.qualifier ?? ""), .text(event.requestID.description),
        .text(event.traceHeader), .integer(event.retry.accepted.nanoseconds),
        .integer(event.retry.accepted.nanoseconds), .integer(Int64(event.retry.attempts)),
        .blob(Array(event.payload.readableBytesView)), .blob([]),
      ])
  }

  /// Keeps when and how often, for an event that is tried again.
  static func reschedule(_ event: StoredEvent, due: Timestamp, _ session: SQLSession) throws(Fault) {
    try session.execute(
      "UPDATE lambda_events SET due = ?, attempts = ? WHERE id = ?",
      [.integer(due.nanoseconds), .integer(Int64(event.retry.attempts)), .integer(event.id)])
  }

  /// Keeps that the event is over, and who is to be told.
  static func settle(_ event: StoredEvent, _ outcome: EventOutcome, _ session: SQLSession) throws(Fault) {
    try session.execute(
      "UPDATE lambda_events SET due = ?, attempts = ?, outcome = ?, response = ? WHERE id = ?",
      [
        .integer(outcome.ended.nanoseconds), .integer(Int64(event.retry.attempts)), .text(outcome.json.text),
        .blob(outcome.response.map { Array($0.payload.readableBytesView) } ?? []), .integer(event.id),
      ])
  }

  static func delete(_ id: Int64, _ session: SQLSession) throws(Fault) {
    try session.execute("DELETE FROM lambda_events WHERE id = ?", [.integer(id)])
  }

  private static func function(
    account: String, region: String, name: String, qualifier: String
  ) throws(Fault) -> FunctionReference {
    guard let account = Account(account), let region = Region(region) else {
      throw Fault("read events", "a row has no valid account and region")
    }
    return FunctionReference(
      key: FunctionKey(place: Place(account: account, region: region), name: name),
      qualifier: qualifier.isEmpty ? nil : qualifier)
  }

  private static func damaged(_ id: Int64) -> Fault { Fault("read events", "event \(id) is damaged") }
}

extension EventOutcome {
  /// Without the bytes of the response, which lie beside it.
  var json: JSONValue {
    .members(
      ("Condition", .string(condition.rawValue)), ("EndedNanoseconds", .integer(ended.nanoseconds)),
      ("ExecutedVersion", response.map { .string($0.executedVersion) }),
      ("FunctionError", response?.functionError.map { .string($0) }),
      ("ErrorCode", .integer(Int64(errorCode))), ("ErrorMessage", .string(errorMessage)),
      (
        "Targets",
        .array(targets.map { .members(("Kind", .string($0.kind.rawValue)), ("Arn", .string($0.arn))) })
      ))
  }

  init?(json: JSONValue, response payload: ByteBuffer) {
    guard let condition = json["Condition"]?.string.flatMap(EventCondition.init(rawValue:)),
      let ended = json["EndedNanoseconds"]?.integer, let targets = json["Targets"]?.array
    else { return nil }
    self.condition = condition
    self.ended = Timestamp(nanoseconds: Int64(ended))
    if let version = json["ExecutedVersion"]?.string {
      response = Response(
        payload: payload, executedVersion: version, functionError: json["FunctionError"]?.string)
    }
    errorCode = json["ErrorCode"]?.integer ?? 200
    errorMessage = json["ErrorMessage"]?.string ?? ""
    self.targets = targets.compactMap { target in
      guard let kind = target["Kind"]?.string.flatMap(EventTarget.Kind.init(rawValue:)),
        let arn = target["Arn"]?.string
      else { return nil }
      return EventTarget(kind: kind, arn: arn)
    }
  }
}
