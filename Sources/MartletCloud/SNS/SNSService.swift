// Amazon SNS, embedded: topics, and deliveries that lie in the outbox. Its operations are in SNSOperations.swift.
// https://docs.aws.amazon.com/sns/latest/dg/welcome.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOPosix
import Synchronization

package final class SNSService: Sendable {
  let topics: Catalogue<SNSTopic>
  let subscriptions: Catalogue<SNSSubscription>
  let index: SubscriptionIndex
  let outbox: Outbox
  let signer: NotificationSigner
  let door: Door
  let alarms: Alarms
  let log: Logger
  /// For endpoints that begin with `https`.
  let security: (any TransportSecurity)?
  let totals = Mutex(Totals())
  /// What CloudWatch was not told yet.
  let tallies = Mutex<[ResourceKey: TopicTally]>([:])
  /// Which subscription a topic has for an endpoint. Changed on the database's writer.
  let endpoints: Mutex<[Endpoint: ResourceKey]>
  /// Of FIFO topics: what was published in the last five minutes. Used on the database's writer.
  let deduplication: Mutex<Deduplication>
  private let lastSequence: Mutex<Int64>
  /// When old rows of the deduplication were removed last, in milliseconds since 1970.
  private let swept = Mutex<Int64>(0)
  /// Subscriptions whose time to be confirmed may be over.
  private let expired: AsyncStream<ResourceKey>
  private let expirations: AsyncStream<ResourceKey>.Continuation

  struct Endpoint: Hashable, Sendable {
    let topic: ResourceKey
    let store: Int64
    let channel: SNSSubscription.Channel
    let endpoint: String

    init(_ record: SNSSubscription) {
      topic = record.topic
      store = record.store
      channel = record.channel
      endpoint = record.endpoint
    }
  }

  /// What became of messages since the server was started; each delivery is one message for one subscription.
  package struct Totals: Sendable, Equatable {
    package var published = 0
    package var filtered = 0
    package var delivered = 0
    /// Into the dead-letter queue of the subscription.
    package var deadLettered = 0
    /// Given up without one, or with one that would not take it.
    package var dropped = 0
  }

  var world: MovableWorld { alarms.world }
  var now: Int64 { world.now().milliseconds }

  package var counts: Totals { totals.withLock { $0 } }
  /// Deliveries that wait or are under way.
  package var waiting: Int { outbox.count }

  /// How long a subscription waits for its confirmation, and how long one that was deleted can be taken back.
  static let confirmationTime = Duration.seconds(172_800)
  /// Filter policies of one topic.
  static let mostFilters = 200

  package static let migrations = [
    Migration(
      "sns-1",
      [
        """
        CREATE TABLE sns_deduplication (
          store BIGINT NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL, sequence BIGINT NOT NULL,
          sent BIGINT NOT NULL, PRIMARY KEY (store, id))
        """,
        "CREATE INDEX sns_deduplication_sent ON sns_deduplication (sent)",
      ])
  ]

  /// The database must have been migrated, with what `Outbox` needs as well.
  package init(
    database: Database, door: Door, alarms: Alarms, log: Logger, security: (any TransportSecurity)? = nil,
    threads: NIOThreadPool = .singleton
  ) throws(Fault) {
    self.door = door
    self.alarms = alarms
    self.log = log
    self.security = security
    (expired, expirations) = AsyncStream.makeStream()
    outbox = try Outbox("sns", database: database, alarms: alarms, log: log)
    signer = try NotificationSigner(database: database, world: alarms.world, threads: threads)
    let index = SubscriptionIndex()
    self.index = index
    topics = try Catalogue(database: database)
    subscriptions = try Catalogue(database: database) { index.heard($0, $1) }
    endpoints = Mutex(
      Dictionary(subscriptions.all.map { (Endpoint($0), $0.key) }, uniquingKeysWith: { $1 }))
    var known = Deduplication()
    var last: Int64 = 0
    for row in try database.read({ session throws(Fault) in
      try session.rows("SELECT * FROM sns_deduplication ORDER BY sent")
    }) {
      let message = Deduplication.Known(
        message: row.text("message"), sequence: Int64(row.integer("sequence")), sent: Int64(row.integer("sent")))
      known.insert(SNSService.scope(Int64(row.integer("store")), row.text("id")), message)
      last = max(last, message.sequence)
    }
    deduplication = Mutex(known)
    lastSequence = Mutex(last)
  }

  /// Delivers what is to be delivered, until `stop` was called.
  package func run() async {
    for record in subscriptions.all { expire(record) }
    async let delivering: Void = outbox.run { await self.deliver($0) }
    for await key in expired {
      await endIfExpired(key)
      alarms.end()
    }
    await delivering
  }

  /// Nothing new begins; what waits is for the next start.
  package func pause() { outbox.pause() }

  package func stop() {
    outbox.stop()
    expirations.finish()
  }

  // MARK: - Finding

  /// The topic that a caller means.
  /// - Parameter action: for the refusal.
  func topic(_ arn: String, _ call: Call, _ action: String, parameter: String = "TopicArn") throws(AWSError) -> SNSTopic
  {
    let key = try TopicReference(arn, parameter: parameter).key
    try check(key, arn, call, action, parameter: parameter)
    guard let topic = topics.find(key) else { throw .snsNoTopic() }
    return topic
  }

  /// The topic whose tags a caller means.
  func resource(_ arn: String, _ call: Call, _ action: String) throws(AWSError) -> SNSTopic {
    do throws(AWSError) {
      return try topic(arn, call, action, parameter: "ResourceArn")
    } catch {
      throw error == .snsNoTopic() ? .snsNoResource() : error
    }
  }

  /// The subscription that a caller means.
  func subscription(_ arn: String, _ call: Call, _ action: String) throws(AWSError) -> SNSSubscription {
    let key = try SubscriptionReference(arn).key
    try check(key, arn, call, action, parameter: "SubscriptionArn")
    guard let record = subscriptions.find(key), topics.find(record.topic)?.store == record.store else {
      throw .snsNoSubscription()
    }
    return record
  }

  /// Until policies are evaluated, nobody but the owner may do anything with a topic.
  private func check(
    _ key: ResourceKey, _ arn: String, _ call: Call, _ action: String, parameter: String
  ) throws(AWSError) {
    if case .service = call.caller { return }
    // Whoever does not sign says no region.
    guard call.caller == .anonymous || key.place.region == call.place.region else { throw .snsInvalid(parameter) }
    guard key.place.account == call.place.account else { throw .snsOtherAccount(arn, call, action) }
  }

  // MARK: - Numbers

  func newStore() -> Int64 { Int64(bitPattern: world.random() >> 2) }

  /// Under which a message of a FIFO topic is known for five minutes.
  static func scope(_ store: Int64, _ id: String) -> String { "\(store)\n\(id)" }

  /// The number of the next message of a FIFO topic: microseconds since 1970, or one more than the last. Only on the
  /// writer.
  func nextSequence() -> Int64 {
    let now = world.now().nanoseconds / 1000
    return lastSequence.withLock { last in
      last = max(last + 1, now)
      return last
    }
  }

  /// True once a minute.
  func mustSweep(_ now: Int64) -> Bool {
    swept.withLock { last in
      guard now - last >= 60_000 else { return false }
      last = now
      return true
    }
  }

  // MARK: - Subscriptions that nobody confirms

  /// Ends a subscription when its time is over, unless it is confirmed by then.
  func expire(_ record: SNSSubscription) {
    guard record.state != .confirmed else { return }
    alarms.set(at: Timestamp(milliseconds: record.since) + SNSService.confirmationTime) { [weak self] in
      guard let self else { return }
      self.alarms.begin()
      if case .terminated = self.expirations.yield(record.key) { self.alarms.end() }
    }
  }

  private func endIfExpired(_ key: ResourceKey) async {
    let limit = world.now()
    do throws(AWSError) {
      try await subscriptions.change(key) { record throws(AWSError) in
        guard let there = record, there.state != .confirmed,
          Timestamp(milliseconds: there.since) + SNSService.confirmationTime <= limit
        else { return }
        record = nil
      }
    } catch {
      log.error(
        "a subscription was not ended", metadata: ["subscription": "\(key.name)", "error": "\(error.note ?? "")"])
    }
  }
}
