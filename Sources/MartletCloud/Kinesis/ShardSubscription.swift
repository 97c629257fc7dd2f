// A subscription of SubscribeToShard: the records of a shard, told as they come, as a stream of events.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

final class ShardSubscription: HTTPBodySource {
  private struct State {
    var out: HTTPOutflow?
    var hasBegun = false
    /// The number of the last record that was told.
    var after: Int64
    /// The sequence number of that.
    var last: SequenceNumber
    /// A page that was read and is to be told.
    var page: RecordPage?
    var isReading = false
    /// An event is due even if it is empty.
    var isDue = true
    var ending: (type: String, message: String)?
    /// The stream ends without an error.
    var isEnding = false
    var isOver = false
    var alarm: Alarms.Alarm?
  }

  /// Which consumer reads which shard. There is one subscription of each.
  struct Name: Hashable, Sendable {
    let consumer: String
    let shard: Int
  }

  let name: Name
  let tip: ShardTips.Name
  private let key: ResourceKey
  private let kinesis: KinesisService
  private let state: Mutex<State>

  static let longest = Duration.seconds(300)
  /// Records of one event.
  private static let eventLimit = 1000
  /// Bytes of one event's records.
  private static let eventSize = 1 << 20

  init(_ name: Name, _ stream: KinesisStream, _ shard: KinesisShard, after: Int64, kinesis: KinesisService) {
    self.name = name
    key = stream.key
    tip = ShardTips.Name(store: stream.store, shard: shard.index)
    self.kinesis = kinesis
    let start = SequenceNumber.first(of: shard)
    state = Mutex(
      State(
        after: after,
        last: SequenceNumber(
          shardCreated: start.shardCreated, index: UInt64(max(0, after)), time: start.time, shard: start.shard)))
  }

  /// The subscription ends by itself after five minutes.
  func setAlarm() {
    let alarm = kinesis.alarms.set(at: kinesis.world.now() + ShardSubscription.longest) { [weak self] in
      self?.change { $0.isEnding = true }
    }
    state.withLock { $0.alarm = alarm }
  }

  // MARK: - What comes in

  /// There may be something new.
  func poke() { change { _ in } }

  /// Some time has passed: the consumer hears that it is up to date.
  func tick() { change { $0.isDue = true } }

  /// The consumer subscribed anew, its stream is gone, or the server stops.
  func finish(_ type: String, _ message: String) { change { $0.ending = (type, message) } }

  private func change(_ body: (inout State) -> Void) {
    let out = state.withLock { state -> HTTPOutflow? in
      body(&state)
      defer { state.out = nil }
      return state.out
    }
    out?.wake()
  }

  /// Reads what is behind the last record, on a thread that may wait.
  private func read(after: Int64) {
    let (kinesis, tip, key) = (kinesis, tip, key)
    kinesis.threads.submit { [weak self] _ in
      guard let stream = kinesis.streams.find(key), stream.store == tip.store else {
        self?.finish("ResourceNotFoundException", AWSError.kinesisNoStream(key).message)
        return
      }
      do throws(Fault) {
        let horizon = stream.horizon(kinesis.now)
        let page = try kinesis.database.read { session throws(Fault) in
          try RecordTable.page(
            tip, after: after, horizon: horizon, count: ShardSubscription.eventLimit,
            bytes: ShardSubscription.eventSize, session)
        }
        self?.change { state in
          state.isReading = false
          state.page = page
        }
      } catch {
        self?.finish("InternalFailureException", "The processing of the request failed.")
      }
    }
  }

  // MARK: - What goes out

  private enum Step {
    case tell(EventStreamMessage)
    case read(after: Int64)
    case end
    case wait
  }

  func pump(_ out: HTTPOutflow) {
    while out.wantsMore {
      switch state.withLock({ step(&$0, out) }) {
      case .tell(let message): out.write(message.bytes)
      case .read(let after): read(after: after)
      case .end:
        leave()
        return out.end()
      case .wait: return
      }
    }
    // Asked again when the peer has read.
    state.withLock { if $0.out == nil, !$0.isOver { $0.out = out } }
  }

  /// What is to be done next.
  private func step(_ state: inout State, _ out: HTTPOutflow) -> Step {
    guard !state.isOver else { return .wait }
    if !state.hasBegun {
      state.hasBegun = true
      return .tell(
        .event("initial-response", contentType: "application/x-amz-json-1.1", ByteBuffer(string: "{}")))
    }
    if let ending = state.ending {
      state.ending = nil
      state.isEnding = true
      state.page = nil
      return .tell(ShardSubscription.exception(ending.type, ending.message))
    }
    if let page = state.page, let stream = kinesis.streams.find(key), let shard = stream.shard(tip.shard) {
      state.page = nil
      state.isDue = false
      if let last = page.records.last {
        state.after = last.number
        state.last = KinesisService.sequence(last.number, last.arrived, shard)
      }
      let isOver = !shard.isOpen && !page.isMore && kinesis.tips.tip(tip) <= state.after
      if isOver { state.isEnding = true }
      return .tell(event(page, state.last, stream, shard, isOver: isOver))
    }
    if state.isEnding {
      state.isOver = true
      return .end
    }
    if !state.isReading, state.isDue || kinesis.tips.tip(tip) > state.after {
      state.isReading = true
      return .read(after: state.after)
    }
    state.out = out
    return .wait
  }

  func cancel() {
    state.withLock { $0.isOver = true }
    leave()
  }

  private func leave() {
    kinesis.leave(self)
    if let alarm = state.withLock({ $0.alarm }) { kinesis.alarms.cancel(alarm) }
  }

  /// `SubscribeToShardEvent`
  private func event(
    _ page: RecordPage, _ last: SequenceNumber, _ stream: KinesisStream, _ shard: KinesisShard, isOver: Bool
  ) -> EventStreamMessage {
    let behind = page.isMore ? max(0, kinesis.now - (page.records.last?.arrived ?? kinesis.now)) : 0
    var json = JSONWriter()
    json.object { json in
      MemberWriter.lend(&json) { w in
        w.list("Records", page.records) { w, record in record.write(to: &w, of: stream, shard) }
        w.member("ContinuationSequenceNumber", isOver ? nil : last.text)
        w.member("MillisBehindLatest", Int(behind))
        if isOver { w.list("ChildShards", stream.children(of: shard.index)) { $1.writeChild(to: &$0) } }
      }
    }
    return .event("SubscribeToShardEvent", contentType: "application/x-amz-json-1.1", json.buffer)
  }

  private static func exception(_ type: String, _ text: String) -> EventStreamMessage {
    EventStreamMessage(
      headers: [
        (":exception-type", type), (":content-type", "application/x-amz-json-1.1"), (":message-type", "exception"),
      ], payload: ByteBuffer(string: JSONValue.members(("message", .string(text))).text))
  }
}

extension KinesisService {
  /// Begins a subscription; one that the consumer has of the shard already ends.
  func begin(_ subscription: ShardSubscription) {
    let before = subscriptions.withLock { $0.updateValue(subscription, forKey: subscription.name) }
    before?.finish("ResourceInUseException", "Another active subscription exists for this consumer.")
    subscription.setAlarm()
  }

  func leave(_ subscription: ShardSubscription) {
    subscriptions.withLock { all in
      if all[subscription.name] === subscription { all[subscription.name] = nil }
    }
  }

  /// To be called every few seconds.
  package func tick() { tick { _ in true } }

  func tick(_ isMeant: (ShardTips.Name) -> Bool) {
    for subscription in subscriptions.withLock({ $0.values.filter { isMeant($0.tip) } }) { subscription.tick() }
  }

  /// Ends all subscriptions, because the server stops.
  package func release() {
    for subscription in subscriptions.withLock({ Array($0.values) }) {
      subscription.finish("InternalFailureException", "The server is shutting down.")
    }
  }

  /// Tells subscriptions that a shard has new records, or has changed.
  func poke(_ isMeant: (ShardTips.Name) -> Bool) {
    for subscription in subscriptions.withLock({ $0.values.filter { isMeant($0.tip) } }) { subscription.poke() }
  }
}
