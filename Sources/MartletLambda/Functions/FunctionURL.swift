// An address under which a function, or one of its aliases, answers HTTP requests.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
import MartletCore
import MartletWire

package struct FunctionURL: Attachment {
  /// What browsers are told of who may ask.
  package struct CORS: Sendable, Equatable {
    package var allowCredentials: Bool?
    package var allowHeaders: [String]?
    package var allowMethods: [String]?
    package var allowOrigins: [String]?
    package var exposeHeaders: [String]?
    /// Seconds.
    package var maxAge: Int?
  }

  /// 32 lower-case letters and digits: the first label of the address.
  package let id: String
  /// `NONE` or `AWS_IAM`.
  package var authType: String
  package var cors: CORS?
  /// `BUFFERED` or `RESPONSE_STREAM`.
  package var invokeMode: String
  package let created: Timestamp
  package var lastModified: Timestamp

  package init(id: String, authType: String, created: Timestamp) {
    self.id = id
    self.authType = authType
    self.created = created
    invokeMode = "BUFFERED"
    lastModified = created
  }

  static func newID(_ world: any World) -> String {
    let digits = Array("abcdefghijklmnopqrstuvwxyz234567")
    return String((0..<32).map { _ in digits[Int(world.random() & 31)] })
  }

  /// The address by which a caller who reached this server at `host` reaches the function.
  /// - Parameter host: name or address, perhaps with a port.
  package func url(_ region: Region, host: String) -> String {
    let colon = host.hasSuffix("]") ? nil : host.lastIndex(of: ":")
    let (name, port) = colon.map { (host[..<$0], host[$0...]) } ?? (host[...], "")
    // A name cannot stand before the numbers of an address.
    let isAddress = name.hasPrefix("[") || name.allSatisfy { $0.isNumber || $0 == "." }
    return "http://\(id).lambda-url.\(region).\(isAddress ? "localhost" : name)\(port)/"
  }
}

extension FunctionURL.CORS {
  init(_ m: Members) {
    func list(_ name: String, _ count: Int, _ low: Int, _ high: Int) -> [String]? {
      m.strings(name, count: 0...count, each: [.length(low, high), .pattern(Pattern(".*"))])
    }
    allowCredentials = m.bool("AllowCredentials")
    allowHeaders = list("AllowHeaders", 100, 0, 1024)
    allowMethods = list("AllowMethods", 6, 0, 6)
    allowOrigins = list("AllowOrigins", 100, 1, 253)
    exposeHeaders = list("ExposeHeaders", 100, 0, 1024)
    maxAge = m.integer("MaxAge", in: 0...86_400)
  }

  /// As answers show it, and as it is kept.
  var json: JSONValue {
    func list(_ texts: [String]?) -> JSONValue? { texts.map { .array($0.map { .string($0) }) } }
    return .members(
      ("AllowCredentials", allowCredentials.map { .bool($0) }), ("AllowHeaders", list(allowHeaders)),
      ("AllowMethods", list(allowMethods)), ("AllowOrigins", list(allowOrigins)),
      ("ExposeHeaders", list(exposeHeaders)), ("MaxAge", maxAge.map { .integer(Int64($0)) }))
  }

  init(json: JSONValue) {
    func list(_ name: String) -> [String]? { json[name]?.array?.compactMap(\.string) }
    allowCredentials = json["AllowCredentials"]?.bool
    allowHeaders = list("AllowHeaders")
    allowMethods = list("AllowMethods")
    allowOrigins = list("AllowOrigins")
    exposeHeaders = list("ExposeHeaders")
    maxAge = json["MaxAge"]?.integer
  }
}

extension FunctionURL {
  package var json: JSONValue {
    .members(
      ("Id", .string(id)), ("AuthType", .string(authType)), ("Cors", cors?.json), ("InvokeMode", .string(invokeMode)),
      ("CreatedNanoseconds", .integer(created.nanoseconds)),
      ("LastModifiedNanoseconds", .integer(lastModified.nanoseconds)))
  }

  package init?(json: JSONValue) {
    guard let id = json["Id"]?.string, let authType = json["AuthType"]?.string,
      let mode = json["InvokeMode"]?.string, let created = json["CreatedNanoseconds"]?.integer,
      let modified = json["LastModifiedNanoseconds"]?.integer
    else { return nil }
    self.init(id: id, authType: authType, created: Timestamp(nanoseconds: Int64(created)))
    invokeMode = mode
    cors = json["Cors"].map(CORS.init(json:))
    lastModified = Timestamp(nanoseconds: Int64(modified))
  }
}
