// The settings that CreateFunction and UpdateFunctionConfiguration share: read, checked, applied.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
import MartletCore
import MartletWire

/// nil = not in the request, which leaves the setting as it is.
struct FunctionSettings: Sendable {
  /// A part of `LoggingConfig`; what it lacks stays.
  struct Logging: Sendable {
    let format: LoggingConfiguration.Format?
    let applicationLevel: String?
    let systemLevel: String?
    let group: String?
  }

  let role: String?
  let runtime: String?
  let handler: String?
  let description: String?
  let timeout: Int?
  let memorySize: Int?
  let ephemeralStorage: Int?
  let environment: [EnvironmentVariable]?
  /// Empty removes it.
  let deadLetterTarget: String?
  /// Empty removes it.
  let kmsKeyARN: String?
  let tracingMode: String?
  let snapStartApplyOn: String?
  let logging: Logging?
  /// ARNs of layer versions. Empty removes them all.
  let layers: [String]?
  let vpc: VPCSettings?
  let imageConfig: ImageConfiguration?
  /// What is kept and shown only, by name.
  let kept: [String: JSONValue]

  /// - Parameter creating: the role is mandatory.
  init(_ m: Members, creating: Bool) {
    if creating {
      role = m.required("Role", .length(nil, 10_000), .pattern(FunctionSettings.rolePattern))
    } else {
      role = m.string("Role", .length(nil, 10_000), .pattern(FunctionSettings.rolePattern))
    }
    runtime = m.string("Runtime")
    handler = m.string("Handler", .length(nil, 128), .pattern(FunctionSettings.handlerPattern))
    description = m.string("Description", .length(nil, 256))
    // A capacity provider's functions may be larger and take longer.
    let isManaged = m.contains("CapacityProviderConfig")
    timeout = m.integer("Timeout", in: 1...(isManaged ? 5400 : 900))
    memorySize = m.integer("MemorySize", in: 128...(isManaged ? 32_768 : 10_240))
    ephemeralStorage = m.object("EphemeralStorage")?.requiredInteger("Size", in: 512...(isManaged ? 32_768 : 10_240))
    environment = m.object("Environment").map { object in
      let variables = object.map("Variables", keys: [.pattern(FunctionSettings.variablePattern)]) ?? []
      return variables.map { EnvironmentVariable(name: $0.key, value: $0.value) }
    }
    deadLetterTarget = m.object("DeadLetterConfig").map {
      $0.string("TargetArn", .length(nil, 10_000), .pattern(FunctionSettings.resourcePattern)) ?? ""
    }
    kmsKeyARN = m.string("KMSKeyArn", .length(nil, 10_000), .pattern(FunctionSettings.resourcePattern))
    tracingMode = m.object("TracingConfig")?.string("Mode", .oneOf(["Active", "PassThrough"]))
    snapStartApplyOn = m.object("SnapStart")?.string("ApplyOn", .oneOf(["PublishedVersions", "None"]))
    logging = m.object("LoggingConfig").map { FunctionSettings.logging($0) }
    layers = m.strings("Layers", each: [.length(1, 2048), .pattern(LayerVersionReference.pattern)])
    vpc = m.object("VpcConfig").map { VPCSettings($0) }
    imageConfig = m.object("ImageConfig").map { ImageConfiguration($0) }
    kept = KeptSettings.read(m, creating: creating)
  }

  private static func logging(_ m: Members) -> Logging {
    Logging(
      format: m.string("LogFormat", .oneOf(["JSON", "Text"])).flatMap { .init(rawValue: $0) },
      applicationLevel: m.string(
        "ApplicationLogLevel", .oneOf(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])),
      systemLevel: m.string("SystemLogLevel", .oneOf(["DEBUG", "INFO", "WARN"])),
      group: m.string("LogGroup", .length(1, 512), .pattern(logGroupPattern)))
  }

  // The patterns of the service model.
  static let rolePattern = Pattern(#"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"#)
  static let handlerPattern = Pattern(#"[^\s]+"#)
  static let variablePattern = Pattern(#"[a-zA-Z]([a-zA-Z0-9_])+"#)
  static let resourcePattern = Pattern(#"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"#)
  static let logGroupPattern = Pattern(#"[\.\-_/#A-Za-z0-9]+"#)
}

// MARK: - What the model cannot say

extension FunctionSettings {
  /// Names that the execution environment sets itself (reference/runtime-api.md 1.7).
  static let reservedVariables: Set<String> = [
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
  ]

  /// - Parameter format: the log format before this request.
  func check(_ limits: LambdaLimits, format: LoggingConfiguration.Format) throws(AWSError) {
    try checkEnvironment(limits)
    if let logging, logging.format ?? format == .text, logging.applicationLevel != nil || logging.systemLevel != nil {
      throw .logLevelWithText()
    }
  }

  /// Refuses settings that the function, as it is, cannot have.
  /// - Parameter before: nil for a new function.
  func check(against before: FunctionConfiguration?) throws(AWSError) {
    if let before, kept["DurableConfig"] != nil, before.kept["DurableConfig"] == nil { throw .durableTooLate() }
    if snapStartApplyOn ?? before?.snapStartApplyOn == "PublishedVersions" { try checkSnapStart(before) }
    if imageConfig?.isEmpty == false, before.map({ $0.packageType == "Zip" }) ?? false { throw .imageConfigOfZip() }
  }

  /// Of these refusals AWS's words are known for runtimes; the others are like it.
  private func checkSnapStart(_ before: FunctionConfiguration?) throws(AWSError) {
    if let runtime = runtime ?? before?.runtime, !FunctionSettings.snapStartRuntimes.contains(runtime) {
      throw .snapStartUnsupported(runtime)
    }
    if before?.packageType == "Image" { throw .snapStartUnsupported("Package type Image") }
    if kept["TenancyConfig"] != nil || before?.isolatesTenants == true { throw .tenantsWithout("SnapStart") }
    func has(_ name: String) -> Bool {
      let value = kept[name] ?? before?.kept[name]
      return value.map { $0.array?.isEmpty != true && $0.members?.isEmpty != true } ?? false
    }
    if has("FileSystemConfigs") { throw .snapStartUnsupported("FileSystemConfigs") }
    if has("CapacityProviderConfig") { throw .snapStartUnsupported("CapacityProviderConfig") }
    if ephemeralStorage ?? before?.ephemeralStorage ?? 512 > 512 {
      throw .snapStartUnsupported("Ephemeral storage greater than 512 MB")
    }
  }

  /// https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
  private static let snapStartRuntimes: Set<String> = [
    "java11", "java17", "java21", "java25", "python3.12", "python3.13", "python3.14", "dotnet8", "dotnet10",
  ]

  private func checkEnvironment(_ limits: LambdaLimits) throws(AWSError) {
    guard let environment else { return }
    let reserved = environment.map(\.name).filter { FunctionSettings.reservedVariables.contains($0) }
    guard reserved.isEmpty else { throw .environmentReserved(reserved) }
    let measured = Tags.text(environment.map { (key: $0.name, value: $0.value) })
    guard measured.utf8.count <= limits.environmentSize.bytes else { throw .environmentTooLarge(measured) }
  }

  func apply(to configuration: inout FunctionConfiguration) {
    if let role { configuration.role = role }
    if let runtime { configuration.runtime = runtime }
    if let handler { configuration.handler = handler }
    if let description { configuration.description = description }
    if let timeout { configuration.timeout = timeout }
    if let memorySize { configuration.memorySize = memorySize }
    if let ephemeralStorage { configuration.ephemeralStorage = ephemeralStorage }
    if let environment { configuration.environment = environment }
    if let deadLetterTarget { configuration.deadLetterTarget = deadLetterTarget.isEmpty ? nil : deadLetterTarget }
    if let kmsKeyARN { configuration.kmsKeyARN = kmsKeyARN.isEmpty ? nil : kmsKeyARN }
    if let tracingMode { configuration.tracingMode = tracingMode }
    if let snapStartApplyOn { configuration.snapStartApplyOn = snapStartApplyOn }
    if let vpc { configuration.vpc = vpc }
    if let imageConfig, configuration.image != nil {
      configuration.image?.configuration = imageConfig.isEmpty ? nil : imageConfig
    }
    for (name, value) in kept {
      let isEmpty = value.members?.isEmpty == true || value.array?.isEmpty == true
      // A durable function stays one, and no other becomes one.
      if name == "DurableConfig" {
        configuration.kept[name] = value
      } else {
        configuration.kept[name] = isEmpty ? nil : value
      }
    }
    logging?.apply(to: &configuration.logging)
  }
}

extension FunctionSettings.Logging {
  /// JSON has levels, Text has none; what is not given stays, or becomes INFO when the format becomes JSON.
  func apply(to logging: inout LoggingConfiguration) {
    if let format { logging.format = format }
    if let group { logging.group = group }
    switch logging.format {
    case .text:
      logging.applicationLevel = nil
      logging.systemLevel = nil
    case .json:
      logging.applicationLevel = applicationLevel ?? logging.applicationLevel ?? "INFO"
      logging.systemLevel = systemLevel ?? logging.systemLevel ?? "INFO"
    }
  }
}
