// Whom a span, a value or a log record is from, and the attributes that say it in OpenTelemetry's words.
// https://opentelemetry.io/docs/specs/semconv/resource/ and .../resource/faas/
import MartletCore
import MartletWire

typealias OTLPAttributes = [(name: String, value: JSONValue)]

struct OTLPResource: Hashable, Sendable {
  let place: Place
  var function: String?
  var version: String?
  /// The execution environment, which is its log stream.
  var instance: String?
  var logGroup: String?

  init(place: Place) { self.place = place }

  /// A function of which nothing but the ARN is known. A qualifier may be an alias, so it tells no version.
  init(place: Place, functionARN arn: String) {
    self.place = place
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count >= 7, parts[2] == "lambda", parts[5] == "function" { function = String(parts[6]) }
  }

  /// Whoever writes into a log stream. Functions are told by the names that Lambda gives to groups and streams.
  init(place: Place, group: String, stream: String) {
    self.place = place
    logGroup = group
    instance = stream
    // `2026/01/02/[$LATEST]0123…`, or `2026/01/02/name[1]0123…` in a group of somebody's own.
    guard stream.utf8.count > 44, let last = stream.lastIndex(of: "/"), let open = stream.lastIndex(of: "["),
      let close = stream.lastIndex(of: "]"), last < open, open < close,
      TraceID.isHex(stream[stream.index(after: close)...], 32), stream[..<last].utf8.count == 10
    else { return }
    let name = stream[stream.index(after: last)..<open]
    if !name.isEmpty {
      function = String(name)
    } else if group.hasPrefix("/aws/lambda/") {
      function = String(group.dropFirst("/aws/lambda/".utf8.count))
    }
    if function != nil { version = String(stream[stream.index(after: open)..<close]) }
  }

  func attributes(_ settings: OTLPSettings) -> OTLPAttributes {
    var all: OTLPAttributes = [
      ("service.name", .string(function ?? settings.serviceName)), ("cloud.provider", .string("aws")),
      ("cloud.region", .string(place.region.name)), ("cloud.account.id", .string(place.account.id)),
    ]
    if let function {
      let arn = "arn:aws:lambda:\(place.region.name):\(place.account.id):function:\(function)"
      all += [
        ("cloud.platform", .string("aws_lambda")), ("faas.name", .string(function)),
        ("cloud.resource_id", .string(version.map { $0 == "$LATEST" ? arn : "\(arn):\($0)" } ?? arn)),
      ]
      if let version { all.append(("faas.version", .string(version))) }
      if let instance { all.append(("faas.instance", .string(instance))) }
    }
    if let logGroup { all.append(("aws.log.group.names", .array([.string(logGroup)]))) }
    if let instance { all.append(("aws.log.stream.names", .array([.string(instance)]))) }
    for pair in settings.attributes where !all.contains(where: { $0.name == pair.name }) {
      all.append((pair.name, .string(pair.value)))
    }
    return all
  }
}

/// What all encoders know.
struct OTLPContext: Sendable {
  let settings: OTLPSettings
  /// Of the program.
  let version: String
}

extension ProtobufWriter {
  /// `KeyValue`s.
  mutating func attributes(_ field: Int, _ attributes: OTLPAttributes) {
    for (name, value) in attributes {
      message(field) { pair in
        pair.text(1, name)
        pair.message(2) { $0.any(value) }
      }
    }
  }

  /// The fields of an `AnyValue`.
  mutating func any(_ value: JSONValue) {
    switch value {
    case .null: break
    case .string(let text): always(1, text)
    case .bool(let flag): always(2, flag ? 1 : 0)
    case .integer(let number): always(3, number)
    case .double(let number): double(4, number)
    case .array(let elements):
      message(5) { list in for element in elements { list.message(1) { $0.any(element) } } }
    case .object(let members):
      message(6) { $0.attributes(1, members.map { ($0.name, $0.value) }) }
    }
  }

  /// A `Resource…` of a request: the resource, and one scope with what `body` writes.
  mutating func resource(
    _ resource: OTLPResource, _ context: OTLPContext, _ body: (inout ProtobufWriter) -> Void
  ) {
    message(1) { entry in
      entry.message(1) { $0.attributes(1, resource.attributes(context.settings)) }
      entry.message(2) { scope in
        scope.message(1) { name in
          name.text(1, "martlet")
          name.text(2, context.version)
        }
        body(&scope)
      }
    }
  }
}
