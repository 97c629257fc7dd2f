// A target of a rule: kept as it was put, read by those members that this server acts on.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
import MartletCore
import MartletWire

struct RuleTarget: Sendable, Equatable {
  /// The members of the model.
  let json: JSONValue

  init(json: JSONValue) { self.json = json }

  var id: String { json["Id"]?.string ?? "" }
  var arn: String { json["Arn"]?.string ?? "" }
  var input: String? { json["Input"]?.string }
  var inputPath: String? { json["InputPath"]?.string }
  var messageGroup: String? { json["SqsParameters"]?["MessageGroupId"]?.string }
  var partitionPath: String? { json["KinesisParameters"]?["PartitionKeyPath"]?.string }
  var deadLetters: String? { json["DeadLetterConfig"]?["Arn"]?.string }
  var retries: Int { json["RetryPolicy"]?["MaximumRetryAttempts"]?.integer ?? RuleTarget.usualRetries }
  /// Seconds.
  var greatestAge: Int { json["RetryPolicy"]?["MaximumEventAgeInSeconds"]?.integer ?? RuleTarget.usualAge }

  /// True if the target says itself what it gets, and does not only choose a part of the event.
  var makesInput: Bool { input != nil || json["InputTransformer"] != nil }

  static let usualRetries = 185
  static let usualAge = 86400

  func transformer() throws(InputTransformer.Flaw) -> InputTransformer? {
    guard let json = json["InputTransformer"] else { return nil }
    let paths = (json["InputPathsMap"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }
    return try InputTransformer(template: json["InputTemplate"]?.string ?? "", paths: paths)
  }

  /// Services whose resources events can be sent to here. AWS has more.
  static let services: Set<String> = ["lambda", "sqs", "sns", "events", "kinesis", "logs"]

  /// Refuses what the model allows and the service does not.
  func check() throws(AWSError) {
    guard let arn = ARN(arn) else { throw .eventsInvalid(id, "Provided Arn is not in correct format.") }
    guard RuleTarget.services.contains(arn.service) else {
      throw .notImplemented("EventBridge.PutTargets with a target of the service \(arn.service)")
    }
    if arn.service == "events" {
      guard arn.resource.hasPrefix("event-bus/") else {
        throw .notImplemented("EventBridge.PutTargets with a target that is no event bus (\(arn.resource))")
      }
      guard json["InputTransformer"] == nil, input == nil, inputPath == nil else {
        throw .eventsInvalid("Input, InputPath and InputTransformer are not supported for target \(id).")
      }
    }
    if arn.service == "logs" { try checkLogGroup(arn) }
    if arn.service == "kinesis" { try checkStream(arn) }
    if arn.service == "sqs", arn.resource.hasSuffix(".fifo"), json["SqsParameters"] == nil {
      throw .eventsTargetMissing("SqsParameters", id)
    }
    if let letters = deadLetters, ARN(letters)?.service != "sqs" {
      throw .eventsInvalid(id, "Provided DeadLetterConfig Arn is not in correct format.")
    }
    try checkInput()
  }

  /// Of the ARN of a log group, which may end in `:*`.
  static func logGroup(_ arn: ARN) -> String {
    String(arn.resource.dropFirst("log-group:".count).prefix { $0 != ":" })
  }

  private func checkLogGroup(_ arn: ARN) throws(AWSError) {
    let group = RuleTarget.logGroup(arn)
    guard arn.resource.hasPrefix("log-group:"), !group.isEmpty,
      ["log-group:\(group)", "log-group:\(group):*"].contains(arn.resource)
    else { throw .eventsInvalid(id, "Provided Arn is not in correct format.") }
  }

  private func checkStream(_ arn: ARN) throws(AWSError) {
    guard arn.resource.hasPrefix("stream/") else {
      throw .eventsInvalid(id, "Provided Arn is not in correct format.")
    }
    if let partitionPath, EventPath(partitionPath) == nil {
      throw .eventsInvalid("Invalid PartitionKeyPath for target \(id).")
    }
  }

  private func checkInput() throws(AWSError) {
    let inputs = [input != nil, inputPath != nil, json["InputTransformer"] != nil].count { $0 }
    guard inputs < 2 else {
      throw .eventsInvalid("Only one of Input, InputPath, or InputTransformer must be provided for target \(id).")
    }
    if let input, (try? JSONValue(parsing: input)) == nil {
      throw .eventsInvalid("JSON syntax error in input for target \(id).")
    }
    if let inputPath, !inputPath.isEmpty, EventPath(inputPath) == nil {
      throw .eventsInvalid("Invalid InputPath for target \(id).")
    }
    let names = json["InputTransformer"]?["InputPathsMap"]?.members?.map(\.name) ?? []
    if let reserved = names.first(where: { $0.lowercased().hasPrefix("aws") }) {
      throw .eventsInvalid("InputPathsMap for target \(id) contains the reserved key \(reserved).")
    }
    do throws(InputTransformer.Flaw) {
      _ = try transformer()
    } catch {
      throw .eventsInvalid(error.message.replacing("for target", with: "for target \(id)"))
    }
  }
}

/// A target together with what need not be made for each event.
struct PreparedTarget: Sendable {
  let target: RuleTarget
  let path: EventPath?
  let transformer: InputTransformer?
  private let partitionPath: EventPath?

  init(_ target: RuleTarget) {
    self.target = target
    partitionPath = target.partitionPath.flatMap { EventPath($0) }
    path = target.inputPath.flatMap { EventPath($0) }
    transformer = try? target.transformer() ?? nil
  }

  /// The key of a record of Kinesis: what the path finds in the event as it was on the bus, or the event's id.
  func partitionKey(_ event: BusEvent) -> String? {
    guard target.arn.hasPrefix("arn:"), ARN(target.arn)?.service == "kinesis" else { return nil }
    guard let value = partitionPath?.find(in: event.json) else { return event.id }
    return value.string ?? value.text
  }

  /// nil = the event itself.
  func input(_ event: BusEvent, _ circumstances: InputTransformer.Circumstances) -> String? {
    if let constant = target.input { return constant }
    if let path { return (path.find(in: event.json) ?? .object([])).text }
    return transformer?.input(event, circumstances)
  }
}
