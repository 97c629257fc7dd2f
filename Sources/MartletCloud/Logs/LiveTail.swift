// A session of StartLiveTail: what comes into some groups, told as it comes, as a stream of events.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
import MartletCore
import MartletWire
import NIOCore
import Synchronization

final class LiveTail: HTTPBodySource {
  /// What the client asked for.
  struct Session: Sendable {
    let requestID: String
    let sessionID: String
    let groups: [String]
    let streams: [String]
    let prefixes: [String]
    let pattern: String

    var json: JSONValue {
      .members(
        ("requestId", .string(requestID)), ("sessionId", .string(sessionID)),
        ("logGroupIdentifiers", .array(groups.map { .string($0) })),
        ("logStreamNames", .array(streams.map { .string($0) })),
        ("logStreamNamePrefixes", .array(prefixes.map { .string($0) })), ("logEventFilterPattern", .string(pattern)))
    }

    func wants(_ stream: String) -> Bool {
      streams.isEmpty && prefixes.isEmpty || streams.contains(stream) || prefixes.contains { stream.hasPrefix($0) }
    }
  }

  private struct State {
    var out: HTTPOutflow?
    var hasBegun = false
    /// An update is due even if it is empty.
    var isDue = true
    var results: [JSONValue] = []
    /// There was more than an update may hold.
    var isSampled = false
    var ending: (type: String, message: String)?
    var isOver = false
    var alarm: Alarms.Alarm?
  }

  let keys: Set<ResourceKey>
  let pattern: FilterPattern
  let session: Session
  private let logs: LogsService
  private let state = Mutex(State())

  /// Events of one update.
  static let updateLimit = 500
  static let longest = Duration.seconds(3 * 3600)

  init(_ session: Session, keys: Set<ResourceKey>, pattern: FilterPattern, logs: LogsService) {
    self.session = session
    self.keys = keys
    self.pattern = pattern
    self.logs = logs
  }

  /// The session ends by itself after three hours.
  func setAlarm() {
    let alarm = logs.alarms.set(at: logs.world.now() + LiveTail.longest) { [weak self] in
      self?.finish("SessionTimeoutException", "The session has timed out.")
    }
    state.withLock { $0.alarm = alarm }
  }

  // MARK: - What comes in

  func add(_ results: [JSONValue]) {
    change { state in
      let room = LiveTail.updateLimit - state.results.count
      state.results += results.prefix(max(0, room))
      if results.count > room { state.isSampled = true }
    }
  }

  /// A second has passed: clients hear of it, so that they need not wait for events to look at something else.
  func tick() { change { $0.isDue = true } }

  /// The server stops.
  func end() { finish("SessionStreamingException", "The server is shutting down.") }

  private func finish(_ type: String, _ message: String) { change { $0.ending = (type, message) } }

  private func change(_ body: (inout State) -> Void) {
    let out = state.withLock { state -> HTTPOutflow? in
      body(&state)
      defer { state.out = nil }
      return state.out
    }
    out?.wake()
  }

  // MARK: - What goes out

  func pump(_ out: HTTPOutflow) {
    while out.wantsMore {
      let (messages, isOver) = state.withLock { state -> ([EventStreamMessage], Bool) in
        guard !state.isOver else { return ([], false) }
        if !state.hasBegun {
          state.hasBegun = true
          return (
            [
              .event("initial-response", contentType: "application/x-amz-json-1.1", ByteBuffer(string: "{}")),
              LiveTail.message("sessionStart", session.json),
            ], false
          )
        }
        if !state.results.isEmpty || state.isDue {
          let update = LiveTail.update(state.results, isSampled: state.isSampled)
          state.results = []
          state.isSampled = false
          state.isDue = false
          return ([update], false)
        }
        if let ending = state.ending {
          state.isOver = true
          return ([LiveTail.exception(ending.type, ending.message)], true)
        }
        state.out = out
        return ([], false)
      }
      for message in messages { out.write(message.bytes) }
      if isOver {
        leave()
        return out.end()
      }
      if messages.isEmpty { return }
    }
    // Asked again when the peer has read.
    state.withLock { if $0.out == nil, !$0.isOver { $0.out = out } }
  }

  func cancel() {
    state.withLock { $0.isOver = true }
    leave()
  }

  private func leave() {
    logs.tails.withLock { $0[ObjectIdentifier(self)] = nil }
    if let alarm = state.withLock({ $0.alarm }) { logs.alarms.cancel(alarm) }
  }

  private static func message(_ type: String, _ json: JSONValue) -> EventStreamMessage {
    .event(type, contentType: "application/json", ByteBuffer(string: json.text))
  }

  private static func update(_ results: [JSONValue], isSampled: Bool) -> EventStreamMessage {
    message(
      "sessionUpdate",
      .members(("sessionMetadata", .members(("sampled", .bool(isSampled)))), ("sessionResults", .array(results))))
  }

  private static func exception(_ type: String, _ text: String) -> EventStreamMessage {
    EventStreamMessage(
      headers: [
        (":exception-type", type), (":content-type", "application/json"), (":message-type", "exception"),
      ], payload: ByteBuffer(string: JSONValue.members(("message", .string(text))).text))
  }
}

extension LogsService {
  /// - Throws: LimitExceededException.
  func begin(_ tail: LiveTail) throws(AWSError) {
    let isThere = tails.withLock { tails in
      guard tails.count < 15 else { return false }
      tails[ObjectIdentifier(tail)] = tail
      return true
    }
    guard isThere else { throw .logsLimit("The limit of 15 concurrent sessions is reached.") }
    tail.setAlarm()
  }

  /// To be called every second.
  package func tick() { for tail in tails.withLock({ Array($0.values) }) { tail.tick() } }

  /// Tells sessions what was written.
  func show(_ written: [(LogStream, LogBatch)], of group: LogGroup, ingestion: Int64) {
    for tail in tails.withLock({ $0.values.filter { $0.keys.contains(group.key) } }) {
      var results: [JSONValue] = []
      for (stream, batch) in written where tail.session.wants(stream.name) {
        batch.visit { time, text in
          // What is over the limit is only counted.
          guard text.withUnsafeReadableBytes({ tail.pattern.matches($0) }) else { return }
          guard results.count <= LiveTail.updateLimit else { return }
          results.append(
            .members(
              ("logStreamName", .string(stream.name)),
              ("logGroupIdentifier", .string("\(group.key.place.account):\(group.key.name)")),
              ("message", .string(String(buffer: text))), ("timestamp", .integer(time)),
              ("ingestionTime", .integer(ingestion))))
        }
      }
      if !results.isEmpty { tail.add(results) }
    }
  }
}
