// What X-Ray is told of a traced invocation: the segments AWS::Lambda and AWS::Lambda::Function (reference/services.md
// 5.11). Values are noted on the way; documents are made of them later, by whoever writes them.
// https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
import MartletCore
import MartletWire
import NIOCore

package final class InvocationTrace: Sendable {
  /// `1-…`
  let root: String
  /// The segment or subsegment of the caller; nil if the trace begins here.
  let parent: String?
  /// When the line got it.
  let began: Timestamp
  /// The ids of the segments of the service, of the attempt of an event, and of the function.
  let service: String
  let attempt: String?
  let function: String

  init(root: String, parent: String?, began: Timestamp, _ invocation: Invocation, world: any World) {
    self.root = root
    self.parent = parent
    self.began = began
    function = randomHex(16, from: world)
    if let event = invocation.event {
      // All attempts of an event, before and after a restart, belong to one segment.
      service = InvocationTrace.id("\(root) \(invocation.requestID)")
      attempt = InvocationTrace.id("\(root) \(invocation.requestID) \(event.attempt)")
    } else {
      service = randomHex(16, from: world)
      attempt = nil
    }
  }

  /// 64 bits that a text always has (FNV-1a).
  private static func id(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    // Texts that differ in their last byte only are to differ in more than that.
    hash ^= hash >> 32
    hash = hash &* 0x9e37_79b9_7f4a_7c15
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  /// What a runtime says of an error.
  struct Cause: Sendable {
    /// As X-Ray wants it, from a header; nil: it said none.
    let document: String?
    /// `{"errorMessage": …, "errorType": …}`
    let payload: ByteBuffer
  }

  /// When things were, in nanoseconds before the end; and how it ended.
  struct Course: Sendable {
    let end: Timestamp
    /// Before the end: the beginning of the function's time, and the answer; nil without one.
    let started: UInt64
    let answered: UInt64?
    /// Of the initialisation that it had to wait for, or that came before it.
    let initialised: (start: UInt64, duration: UInt64)?
    /// It was the restoration of a snapshot.
    let isRestored: Bool
    let isFault: Bool
    let failure: (type: String, message: String)?
    let cause: Cause?
    let stream: String
    /// nil: the environment was warm.
    let coldStart: ColdStartReason?
  }

  // MARK: - Documents

  /// What is to be told of an invocation that has run.
  func parcel(_ invocation: Invocation, _ c: FunctionConfiguration, _ course: Course) -> TraceParcel {
    let (id, event, name) = (
      invocation.requestID, invocation.event, InvocationTrace.Name(c, invocation)
    )
    let size = 2048 + (course.cause?.payload.readableBytes ?? 0)
    return TraceParcel(
      place: c.place, size: size,
      .later {
        self.serviceDocuments(name, id, event, end: course.end, isFault: course.isFault)
          + [self.functionDocument(name, id, course)]
      })
  }

  /// The same of one that was refused with 429.
  func refused(
    _ invocation: Invocation, _ c: FunctionConfiguration, _ reason: ThrottleReason, _ now: Timestamp
  ) -> TraceParcel {
    let (id, event, name) = (
      invocation.requestID, invocation.event, InvocationTrace.Name(c, invocation)
    )
    return TraceParcel(
      place: c.place, size: 1024,
      .later { self.serviceDocuments(name, id, event, end: now, isFault: false, throttle: reason) }
    )
  }

  private struct Name: Sendable {
    let function: String
    let arn: String
    let account: String
    let group: String

    init(_ c: FunctionConfiguration, _ invocation: Invocation) {
      function = c.name
      arn = invocation.function.arn
      account = c.place.account.id
      group = c.logging.group
    }
  }

  /// What traces can be searched by: `annotation[cold_start_reason] = "Expired"`.
  private static func annotation(_ name: String, _ value: String) -> JSONValue { .members((name, .string(value))) }

  private static func seconds(_ moment: Timestamp) -> JSONValue {
    .double(Double(moment.nanoseconds / 1000) / 1e6)
  }

  private func serviceDocuments(
    _ name: Name, _ id: RequestID, _ event: (accepted: Timestamp, attempt: Int)?, end: Timestamp,
    isFault: Bool,
    throttle: ThrottleReason? = nil
  ) -> [JSONValue] {
    let isThrottled = throttle != nil
    let status: Int64 = isThrottled ? 429 : event == nil ? 200 : 202
    let flags: [(String, JSONValue?)] = [
      ("fault", isFault ? .bool(true) : nil), ("error", isThrottled ? .bool(true) : nil),
      ("throttle", isThrottled ? .bool(true) : nil),
      ("annotations", throttle.map { InvocationTrace.annotation("throttle_reason", $0.rawValue) }),
    ]
    let service = InvocationTrace.document(
      [
        ("id", .string(self.service)), ("trace_id", .string(root)),
        ("parent_id", parent.map { .string($0) }),
        ("name", .string(name.function)), ("origin", .string("AWS::Lambda")),
        ("resource_arn", .string(name.arn)),
        ("start_time", InvocationTrace.seconds(event?.accepted ?? began)),
        ("end_time", InvocationTrace.seconds(end)),
        ("http", InvocationTrace.response(event == nil ? status : 202)),
        (
          "aws",
          .members(("request_id", .string(id.description)), ("account_id", .string(name.account)))
        ),
      ] + (event == nil ? flags : isFault ? [("fault", .bool(true))] : []))
    guard let event, let attempt else { return [service] }
    let dwell = InvocationTrace.document([
      ("id", .string(InvocationTrace.id("\(self.service) dwell \(event.attempt)"))),
      ("trace_id", .string(root)),
      ("parent_id", .string(self.service)), ("type", .string("subsegment")),
      ("name", .string("Dwell Time")),
      ("start_time", InvocationTrace.seconds(event.accepted)),
      ("end_time", InvocationTrace.seconds(began)),
    ])
    let tried = InvocationTrace.document(
      [
        ("id", .string(attempt)), ("trace_id", .string(root)), ("parent_id", .string(self.service)),
        ("type", .string("subsegment")), ("name", .string("Attempt #\(event.attempt)")),
        ("start_time", InvocationTrace.seconds(began)), ("end_time", InvocationTrace.seconds(end)),
        ("http", InvocationTrace.response(isThrottled ? 429 : 200)),
      ] + flags)
    // How long it waited for its first attempt; what lies between attempts is to be seen.
    return event.attempt == 1 ? [service, dwell, tried] : [service, tried]
  }

  private static func response(_ status: Int64) -> JSONValue {
    .members(("response", .members(("status", .integer(status)))))
  }

  private static func document(_ members: [(String, JSONValue?)]) -> JSONValue {
    .object(members.compactMap { member in member.1.map { JSONValue.Member(member.0, $0) } })
  }

  private func functionDocument(_ name: Name, _ id: RequestID, _ course: Course) -> JSONValue {
    func before(_ distance: UInt64) -> Timestamp { course.end + .nanoseconds(-Int64(distance)) }
    func part(
      _ what: String, _ start: Timestamp, _ end: Timestamp, more: [(String, JSONValue?)] = []
    ) -> JSONValue {
      InvocationTrace.document(
        [
          ("id", .string(InvocationTrace.id("\(function) \(what)"))), ("name", .string(what)),
          ("start_time", InvocationTrace.seconds(start)),
          ("end_time", InvocationTrace.seconds(end)),
        ] + more)
    }
    let started = before(course.started)
    let answered = before(course.answered ?? 0)
    var parts: [JSONValue] = []
    var start = started
    if let initialised = course.initialised {
      start = min(start, before(initialised.start))
      parts.append(
        part(
          course.isRestored ? "Restore" : "Initialization", before(initialised.start),
          before(initialised.start - initialised.duration)))
    }
    parts.append(
      part("Invocation", started, answered, more: [("fault", course.isFault ? .bool(true) : nil)]))
    if course.answered != nil { parts.append(part("Overhead", answered, course.end)) }
    return InvocationTrace.document([
      ("id", .string(function)), ("trace_id", .string(root)),
      ("parent_id", .string(attempt ?? service)),
      ("name", .string(name.function)), ("origin", .string("AWS::Lambda::Function")),
      ("resource_arn", .string(name.arn)), ("start_time", InvocationTrace.seconds(start)),
      ("end_time", InvocationTrace.seconds(course.end)),
      ("fault", course.isFault ? .bool(true) : nil),
      ("cause", cause(course)),
      ("annotations", course.coldStart.map { InvocationTrace.annotation("cold_start_reason", $0.rawValue) }),
      (
        "aws",
        .members(
          ("account_id", .string(name.account)), ("function_arn", .string(name.arn)),
          ("request_id", .string(id.description)),
          (
            "cloudwatch_logs",
            .array([
              .members(("log_group", .string(name.group)), ("log_stream", .string(course.stream)))
            ])
          ))
      ), ("subsegments", .array(parts)),
    ])
  }

  /// What the runtime says itself, if that is a cause; else what is known of the failure.
  private func cause(_ course: Course) -> JSONValue? {
    guard course.isFault else { return nil }
    if let said = course.cause?.document, said.utf8.count <= InvocationTrace.largestCause,
      let json = try? JSONValue(parsing: said), json.members?.isEmpty == false
    {
      return json
    }
    let document = course.cause.flatMap { try? JSONValue(parsing: $0.payload) }
    let type = document?["errorType"]?.string ?? course.failure?.type
    let message = document?["errorMessage"]?.string ?? course.failure?.message
    guard type != nil || message != nil else { return nil }
    return .members(
      ("working_directory", .string("/var/task")), ("paths", .array([])),
      (
        "exceptions",
        .array([
          .members(
            ("id", .string(InvocationTrace.id("\(function) cause"))),
            ("type", type.map { .string($0) }),
            ("message", message.map { .string(String($0.prefix(4096))) }))
        ])
      ))
  }

  /// Bytes; AWS crops what is longer.
  private static let largestCause = 32_768
}

extension Line {
  /// Notes that an invocation is traced, if it is, and makes its segment the parent of what the function does.
  func sampled(_ invocation: Invocation, _ version: Resolved) -> Invocation {
    guard let traces, invocation.traceHeader != nil || version.configuration.isTracingActive,
      let header = TraceHeader.sampled(
        invocation.traceHeader, version.configuration, traces, world),
      let root = TraceHeader.field("Root", of: header)
    else { return invocation }
    let trace = InvocationTrace(
      root: root, parent: TraceHeader.field("Parent", of: header), began: world.now(), invocation,
      world: world)
    var sampled = invocation
    sampled.trace = trace
    sampled.traceHeader = TraceHeader.header(header, parent: trace.function)
    return sampled
  }
}
