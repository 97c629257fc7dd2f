// What an extension asks for when it subscribes to the Telemetry API or the Logs API (reference/runtime-api.md 1.5).
import MartletCore
import MartletWire

struct TelemetrySubscription: Equatable {
  enum API: Equatable {
    case telemetry
    case logs

    /// The name in error types.
    var name: String { self == .telemetry ? "Telemetry" : "Logs" }
    var schemas: [String] {
      self == .telemetry ? ["2022-07-01", "2022-12-13", "2025-01-29"] : ["2020-08-15", "2021-03-18"]
    }
  }

  enum Category: String, Equatable {
    case platform
    case function
    case `extension`
  }

  struct Buffering: Equatable {
    var maxItems = 10_000
    var maxBytes = 262_144
    /// Milliseconds.
    var timeout = 1_000
  }

  enum Destination: Equatable {
    case http(method: String, port: Int, path: String)
    case tcp(port: Int)
  }

  /// Why a subscription is refused, for the extension's author.
  struct Flaw: Error, Equatable {
    let message: String
  }

  let api: API
  let schema: String
  let categories: [Category]
  let buffering: Buffering
  let destination: Destination

  init(_ api: API, _ body: JSONValue) throws(Flaw) {
    guard body.members != nil else { throw Flaw(message: "The request is not a JSON object") }
    self.api = api
    let given = body["schemaVersion"]?.string
    guard let schema = given ?? (api == .logs ? api.schemas.first : nil), api.schemas.contains(schema) else {
      throw Flaw(message: "schemaVersion must be one of \(api.schemas.joined(separator: ", "))")
    }
    self.schema = schema
    guard let names = body["types"]?.array, !names.isEmpty else { throw Flaw(message: "types must not be empty") }
    var categories: [Category] = []
    for name in names {
      guard let category = name.string.flatMap({ Category(rawValue: $0) }) else {
        throw Flaw(message: "types must be platform, function or extension")
      }
      if !categories.contains(category) { categories.append(category) }
    }
    self.categories = categories
    buffering = try TelemetrySubscription.buffering(body["buffering"])
    destination = try TelemetrySubscription.destination(body["destination"], api)
  }

  private static func buffering(_ body: JSONValue?) throws(Flaw) -> Buffering {
    var buffering = Buffering()
    guard let body, body != .null else { return buffering }
    guard body.members != nil else { throw Flaw(message: "buffering must be an object") }
    buffering.maxItems = try number(body, "maxItems", 1_000...10_000) ?? buffering.maxItems
    buffering.maxBytes = try number(body, "maxBytes", 262_144...1_048_576) ?? buffering.maxBytes
    buffering.timeout = try number(body, "timeoutMs", 25...30_000) ?? buffering.timeout
    return buffering
  }

  private static func number(
    _ body: JSONValue, _ name: String, _ range: ClosedRange<Int>
  ) throws(Flaw) -> Int? {
    guard let value = body[name], value != .null else { return nil }
    guard let number = value.integer, range.contains(number) else {
      throw Flaw(message: "\(name) must be between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  private static func destination(_ body: JSONValue?, _ api: API) throws(Flaw) -> Destination {
    guard let body, body.members != nil else { throw Flaw(message: "destination is missing") }
    switch body["protocol"]?.string {
    case "HTTP":
      let (port, path) = try address(body["URI"]?.string ?? "")
      let method = body["method"]?.string ?? "POST"
      guard method == "POST" || (method == "PUT" && api == .logs) else {
        throw Flaw(message: "the method \(method) is not supported")
      }
      guard (body["encoding"]?.string ?? "JSON") == "JSON" else { throw Flaw(message: "encoding must be JSON") }
      return .http(method: method, port: port, path: path)
    case "TCP":
      guard let port = body["port"]?.integer else { throw Flaw(message: "port is missing") }
      return .tcp(port: try checked(port))
    default: throw Flaw(message: "protocol must be HTTP or TCP")
    }
  }

  /// `http://sandbox.localdomain:8080/path`
  private static func address(_ uri: String) throws(Flaw) -> (port: Int, path: String) {
    guard uri.hasPrefix("http://"), uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw Flaw(message: "URI must be an http address")
    }
    let rest = uri.dropFirst("http://".count)
    let authority = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(authority.count)
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.first == "sandbox.localdomain" || parts.first == "sandbox", parts.count <= 2 else {
      throw Flaw(message: "the host of URI must be sandbox.localdomain")
    }
    guard let port = parts.count == 2 ? Int(parts[1]) : 80 else { throw Flaw(message: "the port of URI is no number") }
    return (try checked(port), path.isEmpty ? "/" : String(path))
  }

  private static func checked(_ port: Int) throws(Flaw) -> Int {
    guard (1...65_535).contains(port), port != EnvironmentParts.runtimePort else {
      throw Flaw(message: "the port \(port) cannot be used")
    }
    return port
  }
}
