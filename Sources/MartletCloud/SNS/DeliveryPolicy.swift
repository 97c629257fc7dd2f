// How often, and when, the delivery to an endpoint is tried again: AWS's schedule, or a policy for HTTP.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
import MartletCore
import MartletWire

/// The delays between the attempts, in four phases. A value.
struct RetrySchedule: Sendable, Equatable {
  enum Backoff: String, Sendable, CaseIterable {
    case arithmetic, exponential, geometric, linear
  }

  /// Seconds.
  var minDelay = 20
  var maxDelay = 20
  /// Attempts beside the first.
  var retries = 3
  /// Of these: at once, then after the shortest delay, and in the end after the longest. Those between grow.
  var withoutDelay = 0
  var withMinDelay = 0
  var withMaxDelay = 0
  var backoff = Backoff.linear

  /// For endpoints that AWS manages: 100,015 retries in 23 days.
  static let managed = RetrySchedule(
    minDelay: 1, maxDelay: 20, retries: 100_015, withoutDelay: 3, withMinDelay: 2, withMaxDelay: 100_000,
    backoff: .exponential)

  /// How long is waited after so many failed attempts; nil = no more are made.
  func delay(after failed: Int) -> Duration? {
    var index = failed - 1
    guard index >= 0, index < retries else { return nil }
    if index < withoutDelay { return .zero }
    index -= withoutDelay
    if index < withMinDelay { return .seconds(minDelay) }
    index -= withMinDelay
    let growing = retries - withoutDelay - withMinDelay - withMaxDelay
    guard index < growing else { return .seconds(maxDelay) }
    return .milliseconds(Int(growth(index, of: growing) * 1000))
  }

  /// Seconds, from the shortest delay to the longest.
  private func growth(_ index: Int, of count: Int) -> Double {
    let (low, high) = (Double(minDelay), Double(maxDelay))
    guard count > 1 else { return low }
    let (i, n) = (Double(index), Double(count))
    let share: Double
    switch backoff {
    case .linear: share = i / (n - 1)
    case .arithmetic: share = i * (i + 1) / (n * (n - 1))
    case .geometric: share = (RetrySchedule.power(1.5, index) - 1) / (RetrySchedule.power(1.5, count - 1) - 1)
    case .exponential: share = (RetrySchedule.power(2, index) - 1) / (RetrySchedule.power(2, count - 1) - 1)
    }
    return low + (high - low) * share
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}

/// What is sent to HTTP endpoints, and how often.
struct DeliveryPolicy: Sendable, Equatable {
  /// Why a text is no delivery policy.
  struct Flaw: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  var schedule: RetrySchedule?
  var contentType: String?
  /// Of a topic: what subscriptions say does not count.
  var isFinal = false

  static let usualContentType = "text/plain; charset=UTF-8"
  /// The longest that one delivery is tried, whatever the policy says.
  static let longest = Duration.seconds(3600)

  private init() {}

  init(ofTopic text: String) throws(Flaw) {
    guard let json = try? JSONValue(parsing: text), json.members != nil else { throw Flaw("failed to parse JSON.") }
    guard let http = json["http"] else { return }
    guard http.members != nil else { throw Flaw("http must be an object") }
    schedule = try DeliveryPolicy.schedule(http["defaultHealthyRetryPolicy"], "http.defaultHealthyRetryPolicy")
    try DeliveryPolicy.checkThrottle(http["defaultThrottlePolicy"], "http.defaultThrottlePolicy")
    contentType = try DeliveryPolicy.contentType(http["defaultRequestPolicy"], "http.defaultRequestPolicy")
    isFinal = http["disableSubscriptionOverrides"]?.bool ?? false
  }

  init(ofSubscription text: String) throws(Flaw) {
    guard let json = try? JSONValue(parsing: text), json.members != nil else { throw Flaw("failed to parse JSON.") }
    schedule = try DeliveryPolicy.schedule(json["healthyRetryPolicy"], "healthyRetryPolicy")
    try DeliveryPolicy.checkThrottle(json["throttlePolicy"], "throttlePolicy")
    contentType = try DeliveryPolicy.contentType(json["requestPolicy"], "requestPolicy")
  }

  /// What holds for a subscription of a topic. Both were checked when they were set.
  init(topic: String?, subscription: String?) {
    let ofTopic = topic.flatMap { try? DeliveryPolicy(ofTopic: $0) } ?? DeliveryPolicy()
    let own = ofTopic.isFinal ? nil : subscription.flatMap { try? DeliveryPolicy(ofSubscription: $0) }
    schedule = own?.schedule ?? ofTopic.schedule ?? RetrySchedule()
    contentType = own?.contentType ?? ofTopic.contentType ?? DeliveryPolicy.usualContentType
    isFinal = ofTopic.isFinal
  }

  // MARK: - Reading

  private static func schedule(_ value: JSONValue?, _ name: String) throws(Flaw) -> RetrySchedule? {
    guard let value, value != .null else { return nil }
    guard value.members != nil else { throw Flaw("\(name) must be an object") }
    func number(_ member: String, in range: ClosedRange<Int>, isRequired: Bool = false) throws(Flaw) -> Int? {
      guard let given = value[member], given != .null else {
        if isRequired { throw Flaw("\(name).\(member) must be specified") }
        return nil
      }
      guard let number = given.integer else { throw Flaw("\(name).\(member) must be an integer") }
      guard number >= range.lowerBound else {
        throw Flaw("\(name).\(member) must be greater than or equal to \(range.lowerBound)")
      }
      guard number <= range.upperBound else {
        throw Flaw("\(name).\(member) must be less than or equal to \(range.upperBound)")
      }
      return number
    }
    var schedule = RetrySchedule()
    schedule.minDelay = try number("minDelayTarget", in: 1...3600, isRequired: true) ?? 20
    schedule.maxDelay = try number("maxDelayTarget", in: 1...3600, isRequired: true) ?? 20
    schedule.retries = try number("numRetries", in: 0...100, isRequired: true) ?? 3
    schedule.withoutDelay = try number("numNoDelayRetries", in: 0...100) ?? 0
    schedule.withMinDelay = try number("numMinDelayRetries", in: 0...100) ?? 0
    schedule.withMaxDelay = try number("numMaxDelayRetries", in: 0...100) ?? 0
    guard schedule.minDelay <= schedule.maxDelay else {
      throw Flaw("\(name).minDelayTarget must be less than or equal to maxDelayTarget")
    }
    guard schedule.withoutDelay + schedule.withMinDelay + schedule.withMaxDelay <= schedule.retries else {
      throw Flaw(
        "\(name).numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries"
      )
    }
    if let text = value["backoffFunction"], text != .null {
      guard let backoff = text.string.flatMap({ RetrySchedule.Backoff(rawValue: $0) }) else {
        throw Flaw("\(name).backoffFunction must be one of arithmetic, exponential, geometric, linear")
      }
      schedule.backoff = backoff
    }
    return schedule
  }

  private static func checkThrottle(_ value: JSONValue?, _ name: String) throws(Flaw) {
    guard let value, value != .null else { return }
    guard value.members != nil else { throw Flaw("\(name) must be an object") }
    guard let most = value["maxReceivesPerSecond"], most != .null else { return }
    guard let number = most.integer, number >= 1 else {
      throw Flaw("\(name).maxReceivesPerSecond must be greater than or equal to 1")
    }
  }

  private static func contentType(_ value: JSONValue?, _ name: String) throws(Flaw) -> String? {
    guard let value, value != .null else { return nil }
    guard value.members != nil else { throw Flaw("\(name) must be an object") }
    guard let text = value["headerContentType"], text != .null else { return nil }
    guard let type = text.string, !type.isEmpty, type.utf8.allSatisfy({ (32...126).contains($0) }) else {
      throw Flaw("\(name).headerContentType is not a content type")
    }
    return type
  }

  // MARK: - Shown

  private func members() -> [(name: String, value: JSONValue)] {
    let schedule = self.schedule ?? RetrySchedule()
    func number(_ value: Int) -> JSONValue { .integer(Int64(value)) }
    return [
      (
        "healthyRetryPolicy",
        .members(
          ("minDelayTarget", number(schedule.minDelay)), ("maxDelayTarget", number(schedule.maxDelay)),
          ("numRetries", number(schedule.retries)), ("numMaxDelayRetries", number(schedule.withMaxDelay)),
          ("numNoDelayRetries", number(schedule.withoutDelay)), ("numMinDelayRetries", number(schedule.withMinDelay)),
          ("backoffFunction", .string(schedule.backoff.rawValue)))
      ),
      (
        "requestPolicy",
        .members(("headerContentType", .string(contentType ?? DeliveryPolicy.usualContentType)))
      ),
    ]
  }

  static func effective(topic: String?) -> String {
    let policy = DeliveryPolicy(topic: topic, subscription: nil)
    let members = policy.members()
    return JSONValue.members(
      (
        "http",
        .members(
          ("defaultHealthyRetryPolicy", members[0].value), ("disableSubscriptionOverrides", .bool(policy.isFinal)),
          ("defaultRequestPolicy", members[1].value))
      )
    ).text
  }

  static func effective(topic: String?, subscription: String?) -> String {
    let members = DeliveryPolicy(topic: topic, subscription: subscription).members()
    return JSONValue.members(
      (members[0].name, members[0].value), ("sicklyRetryPolicy", .null), ("throttlePolicy", .null),
      (members[1].name, members[1].value), ("guaranteed", .bool(false))
    ).text
  }
}
