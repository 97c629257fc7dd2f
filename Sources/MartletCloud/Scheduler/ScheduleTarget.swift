// A schedule's target: what is invoked, with what, how often it is tried, and where it goes if all fails.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html
import MartletCore
import MartletWire

struct ScheduleTarget: Sendable, Equatable {
  let arn: String
  let role: String
  let input: String?
  let deadLetters: String?
  /// Seconds.
  let maximumAge: Int
  let maximumRetries: Int
  /// Of SqsParameters.
  let messageGroup: String?
  /// Of KinesisParameters.
  let partitionKey: String?
  /// Of EventBridgeParameters.
  let event: Event?
  /// The members as they were given, without `RetryPolicy`.
  private let members: [JSONValue.Member]

  struct Event: Sendable, Equatable {
    let detailType: String
    let source: String
  }

  static let standardAge = 86_400
  static let standardRetries = 185

  init?(json: JSONValue?) {
    guard let json, let arn = json["Arn"]?.string, let role = json["RoleArn"]?.string else { return nil }
    self.arn = arn
    self.role = role
    input = json["Input"]?.string
    deadLetters = json["DeadLetterConfig"]?["Arn"]?.string
    maximumAge = json["RetryPolicy"]?["MaximumEventAgeInSeconds"]?.integer ?? ScheduleTarget.standardAge
    maximumRetries = json["RetryPolicy"]?["MaximumRetryAttempts"]?.integer ?? ScheduleTarget.standardRetries
    messageGroup = json["SqsParameters"]?["MessageGroupId"]?.string
    partitionKey = json["KinesisParameters"]?["PartitionKey"]?.string
    let parameters = json["EventBridgeParameters"]
    if let type = parameters?["DetailType"]?.string, let source = parameters?["Source"]?.string {
      event = Event(detailType: type, source: source)
    } else {
      event = nil
    }
    members = (json.members ?? []).filter { ScheduleTarget.names.contains($0.name) && $0.value != .null }
  }

  private static let names: Set<String> = [
    "Arn", "RoleArn", "Input", "DeadLetterConfig", "SqsParameters", "EventBridgeParameters", "EcsParameters",
    "EventBridgePutEventsV2Parameters", "EventBridgePutRawEventsParameters", "KinesisParameters",
    "SageMakerPipelineParameters",
  ]

  /// With the retry policy that AWS fills in.
  var json: JSONValue {
    let retry = JSONValue.members(
      ("MaximumEventAgeInSeconds", .integer(Int64(maximumAge))),
      ("MaximumRetryAttempts", .integer(Int64(maximumRetries))))
    return .object(members + [.init("RetryPolicy", retry)])
  }
}

extension ScheduleTarget {
  static let rolePattern = Pattern(#"arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@\/-]+"#)
  static let queuePattern = Pattern(#"arn:aws[a-z-]*:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+"#)
  static let sourcePattern = Pattern(
    #"(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)"#)

  /// Reads the member `Target`; nil if it is not there or not valid, which is recorded.
  init?(_ m: Members) {
    guard let target = m.requiredObject("Target") else { return nil }
    _ = target.required("Arn", .length(1, 1600))
    _ = target.required("RoleArn", .length(1, 1600), .pattern(ScheduleTarget.rolePattern))
    _ = target.string("Input", .length(1, nil))
    _ = target.object("DeadLetterConfig")?.string("Arn", .length(1, 1600), .pattern(ScheduleTarget.queuePattern))
    if let retry = target.object("RetryPolicy") {
      _ = retry.integer("MaximumEventAgeInSeconds", in: 60...86_400)
      _ = retry.integer("MaximumRetryAttempts", in: 0...185)
    }
    _ = target.object("SqsParameters")?.string("MessageGroupId", .length(1, 128))
    _ = target.object("KinesisParameters")?.required("PartitionKey", .length(1, 256))
    ScheduleTarget.checkEvents(target)
    ScheduleTarget.checkPipeline(target)
    ScheduleTarget.checkTask(target)
    self.init(json: .object(target.members))
  }

  private static func checkEvents(_ target: Members) {
    for name in ["EventBridgeParameters", "EventBridgePutEventsV2Parameters"] {
      guard let event = target.object(name) else { continue }
      _ = event.required("DetailType", .length(1, 128))
      _ = event.required("Source", .length(1, 256), .pattern(sourcePattern))
    }
    _ = target.object("EventBridgePutRawEventsParameters")?.map(
      "Metadata", keys: [.length(1, 128), .pattern(Pattern("[^/]+"))], values: [.length(1, nil)], count: 0...100)
  }

  private static func checkPipeline(_ target: Members) {
    guard let pipeline = target.object("SageMakerPipelineParameters") else { return }
    for parameter in pipeline.objects("PipelineParameterList", count: 0...200) ?? [] {
      _ = parameter.required("Name", .length(1, 256), .pattern(Pattern(#"[A-Za-z0-9\-_]*"#)))
      _ = parameter.required("Value", .length(1, 1024))
    }
  }

  /// A task of ECS: checked as the model says, and then refused because there is no ECS here.
  private static func checkTask(_ target: Members) {
    guard let task = target.object("EcsParameters") else { return }
    _ = task.required("TaskDefinitionArn", .length(1, 1600))
    _ = task.integer("TaskCount", in: 1...10)
    _ = task.string("LaunchType", .oneOf(["EC2", "FARGATE", "EXTERNAL"]))
    if let network = task.object("NetworkConfiguration")?.object("awsvpcConfiguration") {
      _ = network.requiredStrings("Subnets", count: 1...16, each: [.length(1, 1000)])
      _ = network.strings("SecurityGroups", count: 1...5, each: [.length(1, 1000)])
      _ = network.string("AssignPublicIp", .oneOf(["ENABLED", "DISABLED"]))
    }
    _ = task.string("PlatformVersion", .length(1, 64))
    _ = task.string("Group", .length(1, 255))
    for item in task.objects("CapacityProviderStrategy", count: 0...6) ?? [] {
      _ = item.required("capacityProvider", .length(1, 255))
      _ = item.integer("weight", in: 0...1000)
      _ = item.integer("base", in: 0...100_000)
    }
    _ = task.bool("EnableECSManagedTags")
    _ = task.bool("EnableExecuteCommand")
    for item in task.objects("PlacementConstraints", count: 0...10) ?? [] {
      _ = item.string("type", .oneOf(["distinctInstance", "memberOf"]))
      _ = item.string("expression", .length(0, 2000))
    }
    for item in task.objects("PlacementStrategy", count: 0...5) ?? [] {
      _ = item.string("type", .oneOf(["random", "spread", "binpack"]))
      _ = item.string("field", .length(0, 255))
    }
    _ = task.string("PropagateTags", .oneOf(["TASK_DEFINITION"]))
    _ = task.string("ReferenceId", .length(0, 1024))
    _ = task.objects("Tags", count: 0...50)
  }
}

// MARK: - What is invoked

extension ScheduleTarget {
  /// What an ARN of a target means here.
  enum Kind: Sendable, Equatable {
    /// A function, with or without a qualifier.
    case function
    case queue
    case topic
    case bus
    /// Of Kinesis.
    case stream
    /// An operation of a service by the names that AWS's SDKs give them, such as `lambda` and `invoke`.
    case operation(service: String, action: String)
  }

  /// - Throws: a ValidationException, or that Martlet has no such target.
  func kind() throws(AWSError) -> Kind {
    guard let arn = ARN(arn) else { throw .schedulerInvalidTarget() }
    if arn.service == "scheduler" {
      let parts = arn.resource.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3, parts[0] == "aws-sdk", arn.region.isEmpty, arn.account.isEmpty, !parts[1].isEmpty,
        !parts[2].isEmpty
      else { throw .schedulerInvalidTarget() }
      guard ScheduleTarget.operations.contains("\(parts[1]):\(parts[2])") else {
        throw .notImplemented("the Scheduler target \(self.arn)")
      }
      return .operation(service: parts[1], action: parts[2])
    }
    guard Account(arn.account) != nil, Region(arn.region) != nil else { throw .schedulerInvalidTarget() }
    switch arn.service {
    case "lambda" where arn.resource.hasPrefix("function:"): return .function
    case "sqs": return .queue
    case "sns": return .topic
    case "events" where arn.resource.hasPrefix("event-bus/"): return .bus
    case "kinesis" where arn.resource.hasPrefix("stream/"): return .stream
    case "lambda", "events", "kinesis": throw .schedulerInvalidTarget()
    default: throw .notImplemented("the Scheduler target \(self.arn)")
    }
  }

  /// The operations that can be called by their names.
  static let operations: Set<String> = [
    "lambda:invoke", "sqs:sendMessage", "sqs:sendMessageBatch", "sns:publish", "eventbridge:putEvents",
  ]

  /// - Throws: a ValidationException for what its kind of target cannot be given.
  func check() throws(AWSError) {
    let kind = try kind()
    let mustBeJSON =
      switch kind {
      case .function, .bus, .operation: true
      case .queue, .topic, .stream: false
      }
    if mustBeJSON, let input, (try? JSONValue(parsing: input)) == nil { throw .schedulerInputIsNoJSON() }
    switch kind {
    case .queue where arn.hasSuffix(".fifo") && messageGroup == nil: throw .schedulerNoMessageGroup()
    case .stream where partitionKey == nil: throw .schedulerNoPartitionKey()
    case .bus where event == nil: throw .schedulerNoEventParameters()
    case .operation where input == nil: throw .schedulerNoInput(arn)
    default: return
    }
  }
}
