// What is owed to one target: the event, the input made of it, and what becomes of it if it cannot be delivered.
import MartletCore
import MartletWire

struct EventDelivery: Sendable, Equatable {
  /// The event as it was on the bus.
  let event: String
  /// When it happened.
  let time: Timestamp
  /// What the target gets, unless it is the event itself.
  let input: String?
  /// True of an input that `Input` or `InputTransformer` says.
  let isInputMade: Bool
  let target: String
  let rule: String
  let retries: Int
  /// Seconds.
  let greatestAge: Int
  let deadLetters: String?
  let messageGroup: String?
  /// Of a record of Kinesis.
  let partitionKey: String?
  let traceHeader: String?
  /// The same over all attempts.
  let requestID: RequestID
  /// Buses that the event has been on.
  let chain: Int

  var payload: String { input ?? event }

  init(
    _ event: BusEvent, input: String?, to target: RuleTarget, of rule: EventRule, trace: String?, requestID: RequestID,
    chain: Int, partitionKey: String? = nil
  ) {
    self.partitionKey = partitionKey
    self.event = event.text
    time = event.time
    self.input = input
    isInputMade = target.makesInput
    self.target = target.arn
    self.rule = rule.arn
    retries = target.retries
    greatestAge = target.greatestAge
    deadLetters = target.deadLetters
    messageGroup = target.messageGroup
    traceHeader = trace
    self.requestID = requestID
    self.chain = chain
  }

  // MARK: - In a parcel

  var body: [UInt8] {
    Array(
      JSONValue.members(
        ("event", .string(event)), ("time", .integer(time.milliseconds)), ("input", input.map { .string($0) }),
        ("made", isInputMade ? .bool(true) : nil),
        ("target", .string(target)), ("rule", .string(rule)), ("retries", .integer(Int64(retries))),
        ("age", .integer(Int64(greatestAge))), ("letters", deadLetters.map { .string($0) }),
        ("group", messageGroup.map { .string($0) }),
        ("partition", partitionKey.map { .string($0) }), ("trace", traceHeader.map { .string($0) }),
        ("request", .string(requestID.description)), ("chain", .integer(Int64(chain)))
      ).text.utf8)
  }

  /// nil of a parcel that is damaged.
  init?(body: [UInt8]) {
    guard let json = try? JSONValue(parsing: String(decoding: body, as: UTF8.self)),
      let event = json["event"]?.string, let target = json["target"]?.string, let rule = json["rule"]?.string,
      let request = json["request"]?.string.flatMap({ RequestID($0) })
    else { return nil }
    self.event = event
    self.target = target
    self.rule = rule
    requestID = request
    time = Timestamp(milliseconds: Int64(json["time"]?.integer ?? 0))
    input = json["input"]?.string
    isInputMade = json["made"]?.bool ?? false
    retries = json["retries"]?.integer ?? 0
    greatestAge = json["age"]?.integer ?? 0
    deadLetters = json["letters"]?.string
    messageGroup = json["group"]?.string
    partitionKey = json["partition"]?.string
    traceHeader = json["trace"]?.string
    chain = json["chain"]?.integer ?? 0
  }

  // MARK: - After a failure

  enum Verdict: Equatable, Sendable {
    case again(after: Duration)
    /// - Parameter exhausted: the limit of the retry policy that was reached; nil = it was not worth a retry.
    case giveUp(exhausted: String?)
  }

  /// What becomes of it after an attempt that failed.
  /// - Parameters:
  ///   - failures: attempts that failed before this one.
  ///   - age: since the event was put.
  func verdict(after error: AWSError, failures: Int, age: Duration) -> Verdict {
    guard EventDelivery.isPassing(error) else { return .giveUp(exhausted: nil) }
    if failures >= retries { return .giveUp(exhausted: "MaximumRetryAttempts") }
    let left = Duration.seconds(greatestAge) - age
    if left <= .zero { return .giveUp(exhausted: "MaximumEventAgeInSeconds") }
    // With this pace the usual 185 attempts last as long as the usual 24 hours.
    let pause = Duration.seconds(failures < 9 ? 1 << failures : EventDelivery.longestPause)
    return .again(after: min(pause, left))
  }

  /// Seconds between two attempts.
  private static let longestPause = 480

  /// True of what may be otherwise in a while. What is not built will not be.
  private static func isPassing(_ error: AWSError) -> Bool {
    error.status == 429 || error.status >= 500 && error.status != 501
      || ["ThrottlingException", "Throttling", "ResourceConflictException", "ConcurrentModificationException"].contains(
        error.code)
  }

  /// AWS's word for an error, in the attributes of dead letters.
  /// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
  static func code(of error: AWSError) -> String {
    switch error.code {
    case "ResourceNotFoundException", "NotFound", "NotFoundException", "QueueDoesNotExist", "NoSuchBucket":
      "NO_RESOURCE"
    case "AccessDeniedException", "AccessDenied", "AuthorizationError": "NO_PERMISSIONS"
    case "ThrottlingException", "Throttling", "TooManyRequestsException": "THROTTLING"
    case _ where error.status == 429: "THROTTLING"
    case _ where error.status == 501: "SDK_CLIENT_ERROR"
    case _ where error.status >= 500: "ERROR_FROM_TARGET"
    default: "INVALID_PARAMETER"
    }
  }

  /// The attributes of its dead letter.
  func attributes(_ error: AWSError, exhausted: String?, attempts: Int) -> [SQS.Attribute] {
    var values = [
      ("RULE_ARN", rule), ("TARGET_ARN", target), ("ERROR_CODE", EventDelivery.code(of: error)),
      ("ERROR_MESSAGE", error.message),
    ]
    if let exhausted {
      values += [("EXHAUSTED_RETRY_CONDITION", exhausted), ("RETRY_ATTEMPTS", String(attempts))]
    }
    return values.map { name, value in
      SQS.Attribute(name: name, type: "String", string: value.isEmpty ? "-" : value)
    }
  }
}
