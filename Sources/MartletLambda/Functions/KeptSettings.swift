// Settings that are checked, kept and shown, and that have no effect on how a function runs here yet: each is named in
// UNIMPLEMENTED.txt. https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
import MartletCore
import MartletWire

/// A `VpcConfig`. Functions are not attached to networks; which VPC the subnets belong to is not known here.
package struct VPCSettings: Sendable, Equatable {
  package let subnets: [String]
  package let securityGroups: [String]
  package let allowsIPv6: Bool

  init(_ m: Members) {
    subnets =
      m.strings("SubnetIds", count: 0...16, each: [.length(0, 1024), .pattern(VPCSettings.subnetPattern)]) ?? []
    securityGroups =
      m.strings("SecurityGroupIds", count: 0...5, each: [.length(0, 1024), .pattern(VPCSettings.groupPattern)]) ?? []
    allowsIPv6 = m.bool("Ipv6AllowedForDualStack") ?? false
  }

  init(json: JSONValue) {
    subnets = json["SubnetIds"]?.array?.compactMap(\.string) ?? []
    securityGroups = json["SecurityGroupIds"]?.array?.compactMap(\.string) ?? []
    allowsIPv6 = json["Ipv6AllowedForDualStack"]?.bool ?? false
  }

  func write(to w: inout MemberWriter) {
    w.member("SubnetIds", subnets)
    w.member("SecurityGroupIds", securityGroups)
    w.member("VpcId", "")
    w.member("Ipv6AllowedForDualStack", allowsIPv6)
  }

  private static let subnetPattern = Pattern(#"subnet-[0-9a-z]*"#)
  private static let groupPattern = Pattern(#"sg-[0-9a-zA-Z]*"#)
}

/// Structures that are kept as they came, by their names in the API.
enum KeptSettings {
  /// Functions with one of these cannot be invoked here, because they would not run as their owner means it.
  static let preventingInvocation = [
    "DurableConfig", "RuntimeConfig", "AcceleratorConfig",
  ]
  /// The others change nothing that a function could not notice by itself.
  static let names = preventingInvocation + ["CapacityProviderConfig", "FileSystemConfigs", "TenancyConfig"]

  /// What the request says of them. An empty structure or list takes a setting away.
  static func read(_ m: Members, creating: Bool) -> [String: JSONValue] {
    var kept: [String: JSONValue] = [:]
    kept["DurableConfig"] = m.object("DurableConfig").map(durable)
    if creating { kept["TenancyConfig"] = m.object("TenancyConfig").map(tenancy) }
    kept["CapacityProviderConfig"] = m.object("CapacityProviderConfig").map(capacityProvider)
    kept["RuntimeConfig"] = m.object("RuntimeConfig").map(runtime)
    kept["AcceleratorConfig"] = m.object("AcceleratorConfig").map { object in
      .members(
        ("AcceleratorMemorySize", .integer(Int64(object.requiredInteger("AcceleratorMemorySize", in: 0...Int.max)))))
    }
    kept["FileSystemConfigs"] = fileSystems(m)
    return kept
  }

  private static func durable(_ m: Members) -> JSONValue {
    .members(
      (
        "KMSKeyArn",
        m.string("KMSKeyArn", .length(nil, 10_000), .pattern(FunctionSettings.resourcePattern)).map { .string($0) }
      ),
      ("RetentionPeriodInDays", m.integer("RetentionPeriodInDays", in: 1...90).map { .integer(Int64($0)) }),
      ("ExecutionTimeout", m.integer("ExecutionTimeout", in: 1...31_622_400).map { .integer(Int64($0)) }))
  }

  private static func tenancy(_ m: Members) -> JSONValue {
    .members(("TenantIsolationMode", .string(m.required("TenantIsolationMode", .oneOf(["PER_TENANT"])))))
  }

  private static func capacityProvider(_ m: Members) -> JSONValue {
    let name = "LambdaManagedInstancesCapacityProviderConfig"
    let inner = m.requiredObject(name).map { object in
      JSONValue.members(
        (
          "CapacityProviderArn",
          .string(object.required("CapacityProviderArn", .length(1, 140), .pattern(capacityProviderPattern)))
        ),
        (
          "PerExecutionEnvironmentMaxConcurrency",
          object.integer("PerExecutionEnvironmentMaxConcurrency", in: 1...1600).map { .integer(Int64($0)) }
        ),
        (
          "ExecutionEnvironmentMemoryGiBPerVCpu",
          object.number("ExecutionEnvironmentMemoryGiBPerVCpu", in: 2...8).map { .double($0) }
        ))
    }
    return .members((name, inner))
  }

  private static func runtime(_ m: Members) -> JSONValue {
    .members(
      ("RuntimeArn", .string(m.required("RuntimeArn", .length(48, 2048), .pattern(runtimePattern)))),
      ("RuntimeAlias", .string(m.required("RuntimeAlias", .length(1, 128)))))
  }

  private static func fileSystems(_ m: Members) -> JSONValue? {
    guard let list = m.objects("FileSystemConfigs", count: 0...1) else { return nil }
    return .array(
      list.map { object in
        .members(
          ("Arn", .string(object.required("Arn", .length(0, 256), .pattern(fileSystemPattern)))),
          ("LocalMountPath", .string(object.required("LocalMountPath", .length(0, 160), .pattern(mountPattern)))),
          (
            "S3FilesConfig",
            object.object("S3FilesConfig").map { inner in
              .members(
                (
                  "DirectS3Read",
                  inner.string("DirectS3Read", .oneOf(["ENABLED", "DISABLED", "AUTO"])).map { .string($0) }
                ))
            }
          ))
      })
  }

  private static let capacityProviderPattern = Pattern(
    #"arn:aws[a-zA-Z-]*:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:capacity-provider:[a-zA-Z0-9-_]+"#
  )
  private static let runtimePattern = Pattern(#"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:runtime/.+"#)
  private static let mountPattern = Pattern(#"/mnt/[a-zA-Z0-9-_.]+"#)
  static let fileSystemPattern = Pattern(
    #"arn:aws[a-zA-Z-]*:elasticfilesystem:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:access-point/fsap-[a-f0-9]{17}$|^arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40}"#
  )
}

extension FunctionConfiguration {
  /// The setting that keeps the function from being invoked here; nil if there is none.
  package var preventsInvocation: String? { KeptSettings.preventingInvocation.first { kept[$0] != nil } }

  /// True for functions of capacity providers, which have larger limits and a `$LATEST.PUBLISHED`.
  var hasCapacityProvider: Bool { kept["CapacityProviderConfig"] != nil }
}
