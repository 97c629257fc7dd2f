// A subscription as it is kept: who wants which messages of a topic, and how far its confirmation is.
import MartletCore
import MartletStore
import MartletWire

struct SNSSubscription: Document, Equatable {
  static let kind = "sns-subscription"

  enum Channel: String, Sendable {
    case http, https, lambda, sqs
    case email
    case emailJSON = "email-json"

    var isHTTP: Bool { self == .http || self == .https }
    /// Somebody at the endpoint must confirm.
    var needsConfirmation: Bool { isHTTP || self == .email || self == .emailJSON }
  }

  enum State: String, Sendable {
    case pending, confirmed
    /// By somebody who was not its owner: its endpoint may take that back for a while.
    case deleted
  }

  /// `topic:id`, so that the subscriptions of a topic stand together.
  let key: ResourceKey
  let topic: ResourceKey
  /// Of the topic, which tells it from another one of the same name.
  let store: Int64
  let channel: Channel
  let endpoint: String
  /// What was set; the rest has its default.
  var attributes: [String: String]
  var state: State
  /// With which it is confirmed.
  let token: String
  /// Whoever confirmed it signed.
  var wasAuthenticated = false
  /// Only its owner may end it.
  var isProtected = false
  /// Milliseconds since 1970; of one that was deleted, when that happened.
  var since: Int64
  /// Under which its subscriber reached the server; links in messages lead there.
  let host: String
  /// The ARN of who subscribed.
  let principal: String

  init(
    key: ResourceKey, topic: SNSTopic, channel: Channel, endpoint: String, attributes: [String: String], state: State,
    token: String, since: Int64, host: String, principal: String
  ) {
    self.key = key
    self.topic = topic.key
    store = topic.store
    self.channel = channel
    self.endpoint = endpoint
    self.attributes = attributes
    self.state = state
    self.token = token
    self.since = since
    self.host = host
    self.principal = principal
  }

  // MARK: - On disk

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let store = json["store"]?.integer,
      let channel = json["protocol"]?.string.flatMap({ Channel(rawValue: $0) }),
      let state = json["state"]?.string.flatMap({ State(rawValue: $0) }), let since = json["since"]?.integer,
      let endpoint = json["endpoint"]?.string, let colon = key.name.lastIndex(of: ":")
    else { throw Fault("read a subscription", "\(key.name) is damaged") }
    self.key = key
    topic = ResourceKey(place: key.place, name: String(key.name[..<colon]))
    self.store = Int64(store)
    self.channel = channel
    self.endpoint = endpoint
    self.state = state
    attributes = Dictionary(
      (json["attributes"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { $1 })
    token = json["token"]?.string ?? ""
    self.since = Int64(since)
    host = json["host"]?.string ?? "localhost"
    principal = json["principal"]?.string ?? ""
    wasAuthenticated = json["authenticated"]?.bool ?? false
    isProtected = json["protected"]?.bool ?? false
  }

  var document: String {
    JSONValue.members(
      ("store", .integer(store)), ("protocol", .string(channel.rawValue)), ("endpoint", .string(endpoint)),
      ("attributes", .object(attributes.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })),
      ("state", .string(state.rawValue)), ("token", .string(token)), ("since", .integer(since)),
      ("host", .string(host)), ("principal", .string(principal)), ("authenticated", .bool(wasAuthenticated)),
      ("protected", .bool(isProtected))
    ).text
  }

  // MARK: - What it is

  var arn: String { SNSSubscription.arn(key) }
  static func arn(_ key: ResourceKey) -> String {
    ARN(service: "sns", place: key.place, resource: key.name).description
  }

  /// What lists show in the place of its ARN.
  var shownARN: String {
    switch state {
    case .pending: "PendingConfirmation"
    case .confirmed: arn
    case .deleted: "Deleted"
    }
  }

  var isRaw: Bool { attributes["RawMessageDelivery"] == "true" }
  var scope: FilterPolicy.Scope {
    attributes["FilterPolicyScope"].flatMap { FilterPolicy.Scope(rawValue: $0) } ?? .attributes
  }
  /// It was checked when it was set.
  var filter: FilterPolicy? { attributes["FilterPolicy"].flatMap { try? FilterPolicy($0, scope: scope) } }
  var deadLetterTarget: String? {
    attributes["RedrivePolicy"].flatMap { try? JSONValue(parsing: $0)["deadLetterTargetArn"]?.string }
  }

  func write(to w: inout MemberWriter) {
    w.member("SubscriptionArn", shownARN)
    w.member("Owner", key.place.account.id)
    w.member("Protocol", channel.rawValue)
    w.member("Endpoint", endpoint)
    w.member("TopicArn", SNSTopic.arn(topic))
  }

  /// All attributes, in the order in which they are shown.
  func shown(_ topic: SNSTopic?) -> [(key: String, value: String)] {
    var list: [(key: String, value: String)] = [
      ("SubscriptionArn", arn), ("TopicArn", SNSTopic.arn(self.topic)), ("Owner", key.place.account.id),
      ("Protocol", channel.rawValue), ("Endpoint", endpoint), ("SubscriptionPrincipal", principal),
      ("ConfirmationWasAuthenticated", String(wasAuthenticated)),
      ("PendingConfirmation", String(state == .pending)), ("RawMessageDelivery", String(isRaw)),
    ]
    if channel.isHTTP {
      list.append(
        (
          "EffectiveDeliveryPolicy",
          DeliveryPolicy.effective(
            topic: topic?.attributes["DeliveryPolicy"], subscription: attributes["DeliveryPolicy"])
        ))
    }
    for name in ["DeliveryPolicy", "FilterPolicy", "RedrivePolicy"] {
      if let value = attributes[name] { list.append((name, value)) }
    }
    if attributes["FilterPolicy"] != nil { list.append(("FilterPolicyScope", scope.rawValue)) }
    return list
  }
}

/// A subscription, as a caller names it.
struct SubscriptionReference: Sendable {
  let key: ResourceKey

  init(_ arn: String) throws(AWSError) {
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 6 else { throw .snsNotARN("SubscriptionArn", arn) }
    guard parts.count == 7, parts[0] == "arn", parts[2] == "sns", let region = Region(parts[3]),
      let account = Account(parts[4])
    else { throw .snsInvalid("SubscriptionId") }
    key = ResourceKey(place: Place(account: account, region: region), name: "\(parts[5]):\(parts[6])")
  }
}
