// The rules for subscriptions: which endpoints a topic can have, and what their attributes may be.
// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
import MartletCore
import MartletStore
import MartletWire

extension SNSSubscription {
  /// Protocols of AWS's that are not built.
  private static let absent: Set<String> = ["sms", "application", "firehose"]

  static func channel(_ name: String) throws(AWSError) -> Channel {
    if let channel = Channel(rawValue: name) { return channel }
    if absent.contains(name) { throw .notImplemented("the protocol \(name) of SNS subscriptions") }
    throw .snsInvalid("Amazon SNS does not support this protocol string: \(name)")
  }

  static func checkEndpoint(_ endpoint: String, _ channel: Channel, topic: ResourceKey) throws(AWSError) {
    let isFIFO = topic.name.hasSuffix(".fifo")
    switch channel {
    case .http, .https:
      guard endpoint.hasPrefix("\(channel.rawValue)://") else {
        throw .snsInvalid("Endpoint must match the specified protocol")
      }
      guard HTTPEndpoint(endpoint) != nil else { throw .snsInvalid("Unable to parse HTTP endpoint") }
    case .sqs:
      guard SQS.QueueReference(arn: endpoint) != nil else { throw .snsInvalid("SQS endpoint ARN") }
      guard isFIFO || !endpoint.hasSuffix(".fifo") else {
        throw .snsInvalid(
          "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
      }
    case .lambda:
      guard let arn = ARN(endpoint), arn.service == "lambda", Account(arn.account) != nil, Region(arn.region) != nil,
        arn.resource.hasPrefix("function:")
      else { throw .snsInvalid("Lambda endpoint ARN") }
    case .email, .emailJSON:
      guard endpoint.contains("@"), !endpoint.contains(" ") else { throw .snsInvalid("Email address") }
    }
    guard !isFIFO || channel == .sqs else {
      throw .snsInvalid(
        "Protocol Reason: Amazon SNS does not support this protocol for FIFO topics: \(channel.rawValue)")
    }
  }

  /// Refuses an attribute that a subscription cannot have, or a value that it cannot take.
  /// - Parameters:
  ///   - others: what is set beside, for rules about several.
  ///   - isCreation: the words are others then.
  static func check(
    _ name: String, _ value: String, _ others: [String: String], channel: Channel, topic: ResourceKey,
    isCreation: Bool
  ) throws(AWSError) {
    func refusal(_ reason: String) -> AWSError { .snsInvalid(isCreation ? "Attributes Reason: \(reason)" : reason) }
    switch name {
    case "RawMessageDelivery":
      guard ["true", "false"].contains(value.lowercased()) else {
        throw refusal("RawMessageDelivery: Invalid value [\(value)]. Must be true or false.")
      }
      guard channel == .sqs || channel.isHTTP || value.lowercased() == "false" else {
        throw refusal(
          "RawMessageDelivery: Delivery protocol [\(channel.rawValue)] does not support raw message delivery.")
      }
    case "FilterPolicy", "FilterPolicyScope":
      let scope = name == "FilterPolicyScope" ? value : others["FilterPolicyScope"] ?? "MessageAttributes"
      guard let scope = FilterPolicy.Scope(rawValue: scope) else {
        throw refusal(
          "FilterPolicyScope: Invalid value [\(value)]. Please use either MessageBody or MessageAttributes")
      }
      let policy = name == "FilterPolicy" ? value : others["FilterPolicy"] ?? ""
      guard !policy.isEmpty else { return }
      do throws(FilterPolicy.Flaw) { _ = try FilterPolicy(policy, scope: scope) } catch {
        throw refusal("FilterPolicy: \(error.reason)")
      }
    case "RedrivePolicy":
      guard !value.isEmpty else { return }
      try checkRedrive(value, channel, topic, refusal)
    case "DeliveryPolicy":
      guard !value.isEmpty else { return }
      guard channel.isHTTP else {
        throw refusal("DeliveryPolicy: Delivery protocol [\(channel.rawValue)] does not support delivery policies.")
      }
      do throws(DeliveryPolicy.Flaw) { _ = try DeliveryPolicy(ofSubscription: value) } catch {
        throw refusal("DeliveryPolicy: \(error.reason)")
      }
    case "ReplayPolicy": throw .notImplemented("ReplayPolicy of SNS subscriptions")
    case "SubscriptionRoleArn": throw .notImplemented("SubscriptionRoleArn of SNS subscriptions")
    default: throw .snsInvalid(isCreation ? "Attributes Reason: Unknown attribute \(name)" : "AttributeName")
    }
  }

  private static func checkRedrive(
    _ text: String, _ channel: Channel, _ topic: ResourceKey, _ refusal: (String) -> AWSError
  ) throws(AWSError) {
    guard let json = try? JSONValue(parsing: text), json.members != nil else {
      throw refusal("RedrivePolicy: failed to parse JSON.")
    }
    guard let queue = json["deadLetterTargetArn"]?.string.flatMap({ SQS.QueueReference(arn: $0) }) else {
      throw refusal("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    }
    guard queue.key(for: topic.place).place == topic.place else {
      throw refusal("RedrivePolicy: deadLetterTargetArn must be in the same account and region as the subscription")
    }
    guard topic.name.hasSuffix(".fifo") == queue.name.hasSuffix(".fifo") else {
      throw refusal(
        topic.name.hasSuffix(".fifo")
          ? "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO topic"
          : "RedrivePolicy: must use a standard queue as DLQ for a standard topic")
    }
  }

  /// An empty value removes an attribute.
  static func set(_ name: String, _ value: String, in attributes: inout [String: String]) {
    let kept = name == "RawMessageDelivery" ? value.lowercased() : value
    attributes[name] = kept.isEmpty ? nil : kept
  }
}

/// Where messages are posted to: a URL with a path, a query and perhaps a name and a password.
struct HTTPEndpoint: Sendable, Equatable {
  let address: HTTPAddress
  /// Path and query.
  let target: String
  /// The header for basic authentication.
  let authorization: String?

  init?(_ url: String) {
    guard let mark = url.firstRange(of: "://"), url.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
    let rest = url[mark.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    var host = rest[..<end]
    if let at = host.lastIndex(of: "@") {
      authorization = "Basic \(Base64.encode(Array(Percent.decode(host[..<at]).utf8)))"
      host = host[host.index(after: at)...]
    } else {
      authorization = nil
    }
    guard let address = HTTPAddress(String(url[..<mark.upperBound] + host)) else { return nil }
    self.address = address
    let path = rest[end...].prefix { $0 != "#" }
    target = path.hasPrefix("/") ? String(path) : "/\(path)"
  }
}
