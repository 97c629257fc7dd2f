// Log events as an `ExportLogsServiceRequest`: whose they are, how severe, of which invocation and trace.
// https://opentelemetry.io/docs/specs/otel/logs/data-model/
import MartletCore
import MartletWire
import NIOCore

struct LogEncoder {
  /// Events of a stream on their way.
  struct Item: Sendable {
    let stream: LogStreamName
    let batch: LogBatch
    /// Milliseconds since 1970.
    let received: Int64
  }

  let context: OTLPContext
  /// What is known of streams of functions, so that lines without an identifier find their invocation.
  private var streams: [LogStreamName: StreamCourse] = [:]

  /// Streams of which something is known.
  private static let most = 4096

  init(context: OTLPContext) { self.context = context }

  mutating func request(_ items: [Item]) -> [UInt8] {
    var byStream: [LogStreamName: [Item]] = [:]
    var order: [LogStreamName] = []
    for item in items {
      if byStream[item.stream] == nil { order.append(item.stream) }
      byStream[item.stream, default: []].append(item)
    }
    var request = ProtobufWriter()
    if streams.count > LogEncoder.most { streams = [:] }
    for name in order {
      let resource = OTLPResource(place: name.place, group: name.group, stream: name.stream)
      var course = streams[name] ?? StreamCourse(isFunction: resource.function != nil)
      request.resource(resource, context) { scope in
        for item in byStream[name] ?? [] {
          course.note(item.batch.traces)
          item.batch.visit { time, text in
            let record = course.record(text)
            scope.message(2) { LogEncoder.write(record, text, time, item.received, &$0) }
          }
        }
      }
      if resource.function != nil { streams[name] = course }
    }
    return request.bytes
  }

  private static func write(
    _ record: StreamCourse.Record, _ text: ByteBuffer, _ time: Int64, _ received: Int64, _ w: inout ProtobufWriter
  ) {
    w.fixed(1, UInt64(max(0, time)) * 1_000_000)
    if let severity = record.severity {
      w.number(2, severity.number)
      w.text(3, severity.text)
    }
    var body = text.readableBytesView
    while body.last == 10 { body = body.dropLast() }
    w.message(5) { $0.always(1, String(decoding: body, as: UTF8.self)) }
    w.attributes(6, record.attributes)
    if let trace = record.trace {
      w.fixed32(8, 1)
      w.bytes(9, trace.root)
      w.bytes(10, trace.span)
    }
    w.fixed(11, UInt64(max(0, received)) * 1_000_000)
  }
}

/// What the lines of one stream have said so far.
struct StreamCourse: Sendable {
  struct Severity: Sendable, Equatable {
    let number: Int64
    let text: String
  }

  struct Trace: Sendable, Equatable {
    let root: [UInt8]
    let span: [UInt8]
  }

  struct Record {
    var severity: Severity?
    var attributes: OTLPAttributes = []
    var trace: Trace?
  }

  let isFunction: Bool
  /// Invocations that have begun and not ended.
  private var open: [String] = []
  /// Of the invocations that came last.
  private var traces: [(request: String, trace: Trace)] = []

  private static let mostOpen = 256

  init(isFunction: Bool) { self.isFunction = isFunction }

  /// Invocations are traced.
  mutating func note(_ marks: [LogBatch.TraceMark]) {
    for mark in marks {
      guard let root = TraceID(mark.root).flatMap({ SpanEncoder.bytes($0) }), let span = SpanEncoder.bytes(mark.span, 8)
      else { continue }
      traces.append((mark.request, Trace(root: root, span: span)))
      if traces.count > StreamCourse.mostOpen { traces.removeFirst() }
    }
  }

  mutating func record(_ text: ByteBuffer) -> Record {
    var record = Record()
    let object = text.readableBytesView.first == UInt8(ascii: "{") ? try? JSONValue(parsing: text) : nil
    if let object {
      read(object, &record)
    } else if isFunction {
      read(text, &record)
    }
    return record
  }

  // MARK: - Texts

  private mutating func read(_ text: ByteBuffer, _ record: inout Record) {
    let fields = text.withUnsafeReadableBytes { LambdaLine.fields($0) }
    var id: String?
    if case .text(let found)? = fields["@requestId"] { id = found }
    if case .text(let type)? = fields["@type"], let id {
      record.severity = Severity(number: 9, text: "INFO")
      course(type, id)
    } else {
      record.severity = StreamCourse.severity(text)
    }
    attribute(id, &record)
  }

  private mutating func course(_ type: String, _ id: String) {
    if type == "START" {
      open.append(id)
      if open.count > StreamCourse.mostOpen { open.removeFirst() }
    } else {
      open.removeAll { $0 == id }
    }
  }

  /// - Parameter id: of the invocation, if the line names it; else it is the one that runs, if there is but one.
  private func attribute(_ id: String?, _ record: inout Record) {
    guard let id = id ?? (open.count == 1 ? open.first : nil) else { return }
    record.attributes.append(("faas.invocation_id", .string(id)))
    if record.trace == nil { record.trace = traces.last { $0.request == id }?.trace }
  }

  /// Python's `[INFO]\t…`, and Node's and Java's `time\tid\tINFO\t…`.
  private static func severity(_ text: ByteBuffer) -> Severity? {
    let head = text.readableBytesView.prefix(160)
    if head.first == UInt8(ascii: "["), let end = head.prefix(16).firstIndex(of: UInt8(ascii: "]")) {
      return severity(String(decoding: head[(head.startIndex + 1)..<end], as: UTF8.self))
    }
    let words = head.split(separator: 9, maxSplits: 3)
    return words.count >= 3 ? severity(String(decoding: words[2], as: UTF8.self)) : nil
  }

  /// https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
  static func severity(_ level: String) -> Severity? {
    let number: Int64? =
      switch level.uppercased() {
      case "TRACE": 1
      case "DEBUG": 5
      case "INFO", "INFORMATION": 9
      case "NOTICE": 10
      case "WARN", "WARNING": 13
      case "ERROR": 17
      case "CRITICAL", "FATAL", "EMERGENCY", "ALERT": 21
      default: nil
      }
    return number.map { Severity(number: $0, text: level) }
  }

  // MARK: - JSON

  private mutating func read(_ json: JSONValue, _ record: inout Record) {
    if let type = json["type"]?.string, type.hasPrefix("platform."), isFunction {
      record.severity = Severity(number: json["record"]?["errorType"] == nil ? 9 : 13, text: "")
      record.attributes.append(("aws.lambda.platform_event", .string(type)))
      guard let id = json["record"]?["requestId"]?.string else { return }
      if let kind = LambdaLine.type(type) { course(kind, id) }
      return attribute(id, &record)
    }
    if let level = (json["level"] ?? json["log_level"] ?? json["severity"])?.string {
      record.severity = StreamCourse.severity(level)
    }
    if let type = (json["errorType"] ?? json["exception_name"])?.string {
      record.attributes.append(("exception.type", .string(type)))
      if let message = (json["errorMessage"] ?? json["exception"])?.string {
        record.attributes.append(("exception.message", .string(message)))
      }
    }
    if let header = json["xray_trace_id"]?.string, let trace = TraceID(header), let root = SpanEncoder.bytes(trace) {
      let known = traces.last { $0.trace.root == root }?.trace
      record.trace = known ?? Trace(root: root, span: [])
    }
    guard isFunction else { return }
    let names = ["requestId", "AWSRequestId", "function_request_id", "aws_request_id"]
    attribute(names.lazy.compactMap { json[$0]?.string }.first, &record)
  }
}
