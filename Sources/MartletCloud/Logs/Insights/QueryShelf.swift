// The queries of a server: those that run, and the results of the last ones. They do not outlive the server.
import MartletCore
import MartletStore
import MartletWire

/// A query on its way.
struct LogsQuery: Sendable {
  enum Status: String, Sendable {
    case running = "Running"
    case complete = "Complete"
    case failed = "Failed"
    case cancelled = "Cancelled"
  }

  let id: String
  let place: Place
  let groups: [String]
  let text: String
  /// Milliseconds since 1970.
  let created: Int64
  let identity: String
  var status = Status.running
  var results: [[(field: String, value: String)]] = []
  var matched = 0
  var scanned = 0
  var bytes = 0
  /// Milliseconds.
  var duration: Int64 = 0
}

struct QueryShelf: Sendable {
  private(set) var queries: [String: LogsQuery] = [:]
  private var order: [String] = []

  /// Results of older queries are forgotten.
  static let most = 200
  static let mostRunning = 30

  var running: Int { queries.values.count { $0.status == .running } }

  mutating func add(_ query: LogsQuery) {
    queries[query.id] = query
    order.append(query.id)
    while order.count > QueryShelf.most, let first = order.firstIndex(where: { queries[$0]?.status != .running }) {
      queries[order.remove(at: first)] = nil
    }
  }

  mutating func change(_ id: String, _ body: (inout LogsQuery) -> Void) {
    if var query = queries[id] {
      body(&query)
      queries[id] = query
    }
  }

  /// Those of an account and region, the newest first.
  func list(_ place: Place) -> [LogsQuery] {
    order.reversed().compactMap { queries[$0] }.filter { $0.place == place }
  }
}

/// A query that was saved.
struct QueryDefinition: Document {
  static let kind = "log-query-definition"

  /// Its name is the definition's id.
  let key: ResourceKey
  /// As DescribeQueryDefinitions shows it.
  let members: JSONValue

  init(key: ResourceKey, members: JSONValue) {
    self.key = key
    self.members = members
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else {
      throw Fault("read a query definition", "\(key.name) is damaged")
    }
    self.init(key: key, members: json)
  }

  var document: String { members.text }
  var name: String { members["name"]?.string ?? "" }
}

/// A resource policy, kept as it was given.
struct LogsPolicy: Document {
  static let kind = "logs-resource-policy"

  let key: ResourceKey
  let text: String
  let updated: Int64

  init(key: ResourceKey, text: String, updated: Int64) {
    self.key = key
    self.text = text
    self.updated = updated
  }

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let text = json["text"]?.string,
      let updated = json["updated"]?.integer
    else { throw Fault("read a resource policy of logs", "\(key.name) is damaged") }
    self.init(key: key, text: text, updated: Int64(updated))
  }

  var document: String { JSONValue.members(("text", .string(text)), ("updated", .integer(updated))).text }

  func write(to w: inout MemberWriter) {
    w.member("policyName", key.name)
    w.member("policyDocument", text)
    w.member("lastUpdatedTime", Int(updated))
    w.member("policyScope", "ACCOUNT")
  }
}
