// Segments and subsegments of X-Ray as spans of OpenTelemetry.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
// https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/
import MartletCore
import MartletWire

struct SpanEncoder {
  /// A document on its way.
  struct Item: Sendable {
    let place: Place
    let segment: TraceSegment
    /// Whose environment sent it, if it came from one.
    let source: TraceParcel.Source?
  }

  let context: OTLPContext

  /// An `ExportTraceServiceRequest`.
  func request(_ items: [Item]) -> [UInt8] {
    var byResource: [OTLPResource: [Item]] = [:]
    var order: [OTLPResource] = []
    for item in items {
      let resource = SpanEncoder.resource(of: item)
      if byResource[resource] == nil { order.append(resource) }
      byResource[resource, default: []].append(item)
    }
    var request = ProtobufWriter()
    for resource in order {
      request.resource(resource, context) { scope in
        for item in byResource[resource] ?? [] { SpanEncoder.write(item, &scope) }
      }
    }
    return request.bytes
  }

  private static func resource(of item: Item) -> OTLPResource {
    if let source = item.source {
      return OTLPResource(place: item.place, group: source.group, stream: source.stream)
    }
    let aws = item.segment.json["aws"]
    if let logs = aws?["cloudwatch_logs"]?.array?.first, let group = logs["log_group"]?.string,
      let stream = logs["log_stream"]?.string
    {
      return OTLPResource(place: item.place, group: group, stream: stream)
    }
    guard item.segment.json["origin"]?.string?.hasPrefix("AWS::Lambda") == true,
      let arn = item.segment.json["resource_arn"]?.string
    else { return OTLPResource(place: item.place) }
    return OTLPResource(place: item.place, functionARN: arn)
  }

  /// Spans of a segment and of everything below it.
  private static func write(_ item: Item, _ scope: inout ProtobufWriter) {
    let segment = item.segment
    guard let trace = bytes(segment.traceID) else { return }
    write(segment.json, trace: trace, parent: segment.parentID, isTop: !segment.isSubsegment, depth: 0, &scope)
  }

  /// Subsegments may lie in each other; documents are not trusted to do so sensibly.
  private static let deepest = 64

  private static func write(
    _ json: JSONValue, trace: [UInt8], parent: String?, isTop: Bool, depth: Int, _ scope: inout ProtobufWriter
  ) {
    guard depth < deepest, let id = json["id"]?.string, let identifier = bytes(id, 8),
      let name = json["name"]?.string, let start = nanoseconds(json["start_time"]),
      let end = nanoseconds(json["end_time"]), json["in_progress"]?.bool != true
    else { return }
    scope.message(2) { span in
      span.bytes(1, trace)
      span.bytes(2, identifier)
      if let parent, let above = bytes(parent, 8) { span.bytes(4, above) }
      span.text(5, name)
      span.number(6, kind(json, isTop: isTop))
      span.fixed(7, start)
      span.fixed(8, max(start, end))
      span.attributes(9, SpanAttributes.all(json, isTop: isTop))
      for exception in exceptions(json) { event(exception, at: max(start, end), &span) }
      for link in json["links"]?.array ?? [] { self.link(link, &span) }
      if let status = status(json) {
        span.message(15) {
          $0.text(2, status)
          $0.number(3, 2)
        }
      }
      // Sampled: what is not has no segments.
      span.fixed32(16, 1)
    }
    for below in json["subsegments"]?.array ?? [] {
      write(below, trace: trace, parent: id, isTop: false, depth: depth + 1, &scope)
    }
  }

  /// 1 = internal, 2 = server, 3 = client.
  private static func kind(_ json: JSONValue, isTop: Bool) -> Int64 {
    isTop ? 2 : json["namespace"]?.string == nil ? 1 : 3
  }

  /// nil if all is well.
  private static func status(_ json: JSONValue) -> String? {
    guard ["fault", "error", "throttle"].contains(where: { json[$0]?.bool == true }) else { return nil }
    return exceptions(json).first?["message"]?.string ?? ""
  }

  private static func exceptions(_ json: JSONValue) -> [JSONValue] { json["cause"]?["exceptions"]?.array ?? [] }

  private static func event(_ exception: JSONValue, at time: UInt64, _ span: inout ProtobufWriter) {
    var attributes: OTLPAttributes = []
    if let type = exception["type"]?.string { attributes.append(("exception.type", .string(type))) }
    if let message = exception["message"]?.string { attributes.append(("exception.message", .string(message))) }
    let lines = (exception["stack"]?.array ?? []).map { frame in
      "\tat \(frame["label"]?.string ?? "") (\(frame["path"]?.string ?? ""):\(frame["line"]?.integer ?? 0))"
    }
    if !lines.isEmpty {
      attributes.append(("exception.stacktrace", .string(lines.joined(separator: "\n"))))
    }
    span.message(11) { event in
      event.fixed(1, time)
      event.text(2, "exception")
      event.attributes(3, attributes)
    }
  }

  private static func link(_ link: JSONValue, _ span: inout ProtobufWriter) {
    guard let trace = link["trace_id"]?.string.flatMap({ TraceID($0) }).flatMap({ bytes($0) }),
      let id = link["id"]?.string.flatMap({ bytes($0, 8) })
    else { return }
    span.message(13) { message in
      message.bytes(1, trace)
      message.bytes(2, id)
    }
  }

  // MARK: - Identifiers and times

  /// `1-5759e988-bd862e3fe1be46a994272793` as its sixteen bytes.
  static func bytes(_ trace: TraceID) -> [UInt8]? {
    bytes(String(trace.description.dropFirst(2).filter { $0 != "-" }), 16)
  }

  /// nil if it is no identifier, or one that is all zeros, which OpenTelemetry does not allow.
  static func bytes(_ hex: String, _ count: Int) -> [UInt8]? {
    let digits = Array(hex.utf8)
    guard digits.count == 2 * count else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes.contains { $0 != 0 } ? bytes : nil
  }

  private static func nanoseconds(_ seconds: JSONValue?) -> UInt64? {
    guard let seconds = seconds?.number, seconds.isFinite, (0..<1e10).contains(seconds) else { return nil }
    // Doubles of this size have microseconds and no more.
    return UInt64((seconds * 1e6).rounded()) * 1000
  }
}

/// What a segment says, in OpenTelemetry's words where there are some, else as X-Ray calls it.
enum SpanAttributes {
  static func all(_ json: JSONValue, isTop: Bool) -> OTLPAttributes {
    var all = http(json["http"]) + aws(json) + function(json) + sql(json["sql"])
    if let user = json["user"]?.string { all.append(("user.id", .string(user))) }
    if let origin = json["origin"]?.string { all.append(("aws.xray.origin", .string(origin))) }
    if json["throttle"]?.bool == true {
      all.append(("error.type", .string("throttle")))
    } else if let type = json["cause"]?["exceptions"]?.array?.first?["type"]?.string {
      all.append(("error.type", .string(type)))
    } else if json["fault"]?.bool == true || json["error"]?.bool == true {
      let status = json["http"]?["response"]?["status"]?.integer
      all.append(("error.type", .string(status.map { "\($0)" } ?? "_OTHER")))
    }
    for space in json["metadata"]?.members ?? [] {
      all.append(("aws.xray.metadata.\(space.name)", .string(space.value.text)))
    }
    let annotations = json["annotations"]?.members ?? []
    for annotation in annotations where !all.contains(where: { $0.name == annotation.name }) {
      all.append((annotation.name, annotation.value))
    }
    if !annotations.isEmpty {
      all.append(("aws.xray.annotations", .array(annotations.map { .string($0.name) })))
    }
    return all
  }

  private static func http(_ http: JSONValue?) -> OTLPAttributes {
    let (request, response) = (http?["request"], http?["response"])
    let all: [(String, JSONValue?)] = [
      ("http.request.method", request?["method"]), ("url.full", request?["url"]),
      ("user_agent.original", request?["user_agent"]), ("client.address", request?["client_ip"]),
      ("http.response.status_code", response?["status"]), ("http.response.body.size", response?["content_length"]),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
  }

  /// Of calls of AWS: what SDKs tell of them.
  private static func aws(_ json: JSONValue) -> OTLPAttributes {
    guard json["namespace"]?.string == "aws", let aws = json["aws"] else { return [] }
    var all: OTLPAttributes = [("rpc.system", .string("aws-api"))]
    if let service = json["name"] { all.append(("rpc.service", service)) }
    for member in aws.members ?? [] {
      switch member.name {
      case "operation": all.append(("rpc.method", member.value))
      case "request_id": all.append(("aws.request_id", member.value))
      case "region": all.append(("cloud.region", member.value))
      case "table_name": all.append(("aws.dynamodb.table_names", .array([member.value])))
      case "queue_url": all.append(("aws.sqs.queue.url", member.value))
      case "bucket_name": all.append(("aws.s3.bucket", member.value))
      case "key": all.append(("aws.s3.key", member.value))
      case "function_name": all.append(("faas.invoked_name", member.value))
      default: all.append(("aws.\(member.name)", member.value))
      }
    }
    return all
  }

  /// Of the segments that Lambda writes.
  private static func function(_ json: JSONValue) -> OTLPAttributes {
    guard let origin = json["origin"]?.string, origin.hasPrefix("AWS::Lambda") else { return [] }
    var all: OTLPAttributes = []
    if let id = json["aws"]?["request_id"] { all.append(("faas.invocation_id", id)) }
    if let arn = json["resource_arn"] { all.append(("aws.lambda.invoked_arn", arn)) }
    if origin == "AWS::Lambda::Function" {
      let isCold = json["subsegments"]?.array?.contains { $0["name"]?.string == "Initialization" } == true
      all.append(("faas.coldstart", .bool(isCold)))
    }
    return all
  }

  private static func sql(_ sql: JSONValue?) -> OTLPAttributes {
    let all: [(String, JSONValue?)] = [
      ("db.system.name", sql?["database_type"]), ("db.query.text", sql?["sanitized_query"]),
      ("db.user", sql?["user"]), ("db.connection_string", sql?["url"] ?? sql?["connection_string"]),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
  }
}
