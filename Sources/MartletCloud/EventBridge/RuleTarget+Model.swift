// Reads a target as the model has it, with the parameters of every service, so that what is wrong is refused as on AWS.
import MartletCore
import MartletWire

extension RuleTarget {
  private static let members: Set<String> = [
    "Id", "Arn", "RoleArn", "Input", "InputPath", "InputTransformer", "KinesisParameters", "RunCommandParameters",
    "EcsParameters", "BatchParameters", "SqsParameters", "HttpParameters", "RedshiftDataParameters",
    "SageMakerPipelineParameters", "DeadLetterConfig", "RetryPolicy", "AppSyncParameters",
  ]

  init(_ m: Members) {
    _ = m.required("Id", as: EventBridgeName.rule)
    _ = m.required("Arn", as: EventBridgeName.arn)
    _ = m.string("RoleArn", as: EventBridgeName.arn)
    _ = m.string("Input", .length(nil, 8192))
    _ = m.string("InputPath", .length(nil, 256))
    if let transformer = m.object("InputTransformer") {
      _ = transformer.map(
        "InputPathsMap", keys: [.length(1, 256), .pattern(Pattern(#"[A-Za-z0-9\_\-]+"#))], values: [.length(nil, 256)],
        count: 0...100)
      _ = transformer.required("InputTemplate", .length(1, 8192))
    }
    _ = m.object("KinesisParameters")?.required("PartitionKeyPath", .length(nil, 256))
    RuleTarget.readCommands(m.object("RunCommandParameters"))
    if let ecs = m.object("EcsParameters") { RuleTarget.readTasks(ecs) }
    RuleTarget.readBatch(m.object("BatchParameters"))
    _ = m.object("SqsParameters")?.string("MessageGroupId", .length(nil, 100))
    if let http = m.object("HttpParameters") { RuleTarget.readHTTP(http) }
    RuleTarget.readRedshift(m.object("RedshiftDataParameters"))
    for parameter in m.object("SageMakerPipelineParameters")?.objects("PipelineParameterList", count: 0...200) ?? [] {
      _ = parameter.required("Name", .length(1, 256), .pattern(Pattern(#"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"#)))
      _ = parameter.required("Value", .length(nil, 1024))
    }
    _ = m.object("DeadLetterConfig")?.string("Arn", as: EventBridgeName.arn)
    let retry = m.object("RetryPolicy")
    _ = retry?.integer("MaximumRetryAttempts", in: 0...RuleTarget.usualRetries)
    _ = retry?.integer("MaximumEventAgeInSeconds", in: 60...RuleTarget.usualAge)
    _ = m.object("AppSyncParameters")?.string("GraphQLOperation", .length(1, 1_048_576))
    self.init(
      json: .object(m.members.filter { RuleTarget.members.contains($0.name) && $0.value != .null }))
  }

  private static func readCommands(_ m: Members?) {
    for target in m?.requiredObjects("RunCommandTargets", count: 1...5) ?? [] {
      _ = target.required("Key", .length(1, 128), .pattern(Pattern(#"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$"#)))
      _ = target.requiredStrings("Values", count: 1...50, each: [.length(1, 256)])
    }
  }

  private static func readTasks(_ m: Members) {
    _ = m.required("TaskDefinitionArn", as: EventBridgeName.arn)
    _ = m.integer("TaskCount", in: 1...Int.max)
    _ = m.string("LaunchType", .oneOf(["EC2", "FARGATE", "EXTERNAL"]))
    if let network = m.object("NetworkConfiguration")?.object("awsvpcConfiguration") {
      _ = network.requiredStrings("Subnets")
      _ = network.strings("SecurityGroups")
      _ = network.string("AssignPublicIp", .oneOf(["ENABLED", "DISABLED"]))
    }
    for name in ["PlatformVersion", "Group"] { _ = m.string(name) }
    for item in m.objects("CapacityProviderStrategy", count: 0...6) ?? [] {
      _ = item.required("capacityProvider", .length(1, 255))
      _ = item.integer("weight", in: 0...1000)
      _ = item.integer("base", in: 0...100_000)
    }
    for name in ["EnableECSManagedTags", "EnableExecuteCommand"] { _ = m.bool(name) }
    for constraint in m.objects("PlacementConstraints", count: 0...10) ?? [] {
      _ = constraint.string("type", .oneOf(["distinctInstance", "memberOf"]))
      _ = constraint.string("expression", .length(nil, 2000))
    }
    for strategy in m.objects("PlacementStrategy", count: 0...5) ?? [] {
      _ = strategy.string("type", .oneOf(["random", "spread", "binpack"]))
      _ = strategy.string("field", .length(nil, 255))
    }
    _ = m.string("PropagateTags", .oneOf(["TASK_DEFINITION"]))
    _ = m.string("ReferenceId", .length(nil, 1024))
    _ = m.eventBridgeTags()
  }

  private static func readBatch(_ m: Members?) {
    guard let m else { return }
    for name in ["JobDefinition", "JobName"] { _ = m.required(name, .length(nil, nil)) }
    _ = m.object("ArrayProperties")?.integer("Size", in: Int.min...Int.max)
    _ = m.object("RetryStrategy")?.integer("Attempts", in: Int.min...Int.max)
  }

  private static func readHTTP(_ m: Members) {
    _ = m.strings("PathParameterValues", each: [.pattern(Pattern(#"^(?!\s*$).+"#))])
    _ = m.map(
      "HeaderParameters", keys: [.length(nil, 512), .pattern(Pattern(#"^[!#$%&'*+-.^_`|~0-9a-zA-Z]+$"#))],
      values: [.length(nil, 512), .pattern(Pattern(#"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$"#))])
    _ = m.map(
      "QueryStringParameters", keys: [.length(nil, 512), .pattern(Pattern(#"[^\x00-\x1F\x7F]+"#))],
      values: [.length(nil, 512), .pattern(Pattern(#"[^\x00-\x09\x0B\x0C\x0E-\x1F\x7F]+"#))])
  }

  private static func readRedshift(_ m: Members?) {
    guard let m else { return }
    _ = m.string(
      "SecretManagerArn", .length(1, 1600),
      .pattern(
        Pattern(#"(^arn:aws([a-z]|\-)*:secretsmanager:[a-z0-9-.]+:.*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)"#)))
    _ = m.required("Database", .length(1, 64))
    _ = m.string("DbUser", .length(1, 128))
    _ = m.string("Sql", .length(1, 100_000))
    _ = m.string("StatementName", .length(1, 500))
    _ = m.bool("WithEvent")
    _ = m.strings("Sqls", count: 0...40, each: [.length(1, 100_000)])
  }
}
