// The settings of a capacity provider, as requests give them and as answers show them.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateCapacityProvider.html
import MartletCore
import MartletWire

enum CapacitySettings {
  /// In the order of answers.
  static let names = [
    "VpcConfig", "PermissionsConfig", "InstanceRequirements", "CapacityProviderScalingConfig", "KmsKeyArn",
    "PropagateTags", "TelemetryConfig",
  ]

  static let namePattern = Pattern(
    #"(arn:aws[a-zA-Z-]*:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:capacity-provider:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+"#
  )
  private static let subnetPattern = Pattern(#"subnet-[0-9a-z]*"#)
  private static let groupPattern = Pattern(#"sg-[0-9a-zA-Z]*"#)
  private static let typePattern = Pattern(#"[a-zA-Z0-9\.\*\-]+"#)
  private static let keyPattern = Pattern(#"arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*"#)

  /// What CreateCapacityProvider can say.
  static func create(_ m: Members) -> [String: JSONValue] {
    var settings = update(m)
    settings["VpcConfig"] = m.requiredObject("VpcConfig").map { object in
      .members(
        (
          "SubnetIds",
          texts(
            object.requiredStrings("SubnetIds", count: 1...16, each: [.length(0, 1024), .pattern(subnetPattern)]))
        ),
        (
          "SecurityGroupIds",
          texts(
            object.requiredStrings("SecurityGroupIds", count: 0...5, each: [.length(0, 1024), .pattern(groupPattern)]))
        ))
    }
    settings["PermissionsConfig"] = m.requiredObject("PermissionsConfig").map { object in
      .members(
        (
          "CapacityProviderOperatorRoleArn",
          .string(
            object.required(
              "CapacityProviderOperatorRoleArn", .length(0, 10_000), .pattern(FunctionSettings.rolePattern)))
        ))
    }
    settings["InstanceRequirements"] = m.object("InstanceRequirements").map(requirements)
    settings["KmsKeyArn"] = m.string("KmsKeyArn", .length(0, 10_000), .pattern(keyPattern)).map { .string($0) }
    return settings
  }

  /// What UpdateCapacityProvider can say.
  static func update(_ m: Members) -> [String: JSONValue] {
    var settings: [String: JSONValue] = [:]
    settings["CapacityProviderScalingConfig"] = m.object("CapacityProviderScalingConfig").map(scaling)
    settings["PropagateTags"] = m.object("PropagateTags").map { object in
      .members(
        ("Mode", object.string("Mode", .oneOf(["None", "Explicit"])).map { .string($0) }),
        (
          "ExplicitTags",
          object.map("ExplicitTags", keys: Tags.keyConstraints, values: Tags.valueConstraints, count: 0...40).map {
            .object($0.map { .init($0.key, .string($0.value)) })
          }
        ))
    }
    settings["TelemetryConfig"] = m.object("TelemetryConfig").map { object in
      .members(("LoggingConfig", object.object("LoggingConfig").map(logging)))
    }
    return settings
  }

  private static func texts(_ list: [String]?) -> JSONValue? { list.map { .array($0.map { .string($0) }) } }

  private static func requirements(_ m: Members) -> JSONValue {
    let types: [Constraint] = [.length(1, 30), .pattern(typePattern)]
    return .members(
      ("Architectures", texts(m.strings("Architectures", count: 1...1, each: [.oneOf(["x86_64", "arm64"])]))),
      ("AllowedInstanceTypes", texts(m.strings("AllowedInstanceTypes", count: 0...400, each: types))),
      ("ExcludedInstanceTypes", texts(m.strings("ExcludedInstanceTypes", count: 0...400, each: types))))
  }

  private static func scaling(_ m: Members) -> JSONValue {
    let metrics = ["LambdaCapacityProviderAverageCPUUtilization", "LambdaCapacityProviderAverageGPUUtilization"]
    let policies = m.objects("ScalingPolicies", count: 1...10)?.map { policy in
      JSONValue.members(
        ("PredefinedMetricType", .string(policy.required("PredefinedMetricType", .oneOf(metrics)))),
        ("TargetValue", .double(policy.requiredNumber("TargetValue", in: 0...100))))
    }
    return .members(
      ("MaxVCpuCount", m.integer("MaxVCpuCount", in: 2...15_000).map { .integer(Int64($0)) }),
      ("ScalingMode", m.string("ScalingMode", .oneOf(["Auto", "Manual"])).map { .string($0) }),
      ("ScalingPolicies", policies.map { .array($0) }))
  }

  private static func logging(_ m: Members) -> JSONValue {
    .members(
      ("SystemLogLevel", m.string("SystemLogLevel", .oneOf(["DEBUG", "INFO", "WARN"])).map { .string($0) }),
      (
        "LogGroup",
        m.string("LogGroup", .length(1, 512), .pattern(FunctionSettings.logGroupPattern)).map { .string($0) }
      )
    )
  }
}
