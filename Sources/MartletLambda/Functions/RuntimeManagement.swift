// When a version takes up a new version of its runtime. Runtimes here are the host's, which have one version at a time.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
import MartletCore
import MartletWire

package struct RuntimeManagement: Attachment {
  static let modes = ["Auto", "Manual", "FunctionUpdate"]
  static let initial = RuntimeManagement(updateOn: "Auto", runtimeVersion: nil)

  /// `Auto`, `Manual` or `FunctionUpdate`.
  package let updateOn: String
  /// The ARN of the runtime version; only with `Manual`.
  package let runtimeVersion: String?

  package init(updateOn: String, runtimeVersion: String?) {
    self.updateOn = updateOn
    self.runtimeVersion = runtimeVersion
  }

  package init?(json: JSONValue) {
    guard let updateOn = json["UpdateRuntimeOn"]?.string else { return nil }
    self.init(updateOn: updateOn, runtimeVersion: json["RuntimeVersionArn"]?.string)
  }

  package var json: JSONValue {
    .members(
      ("UpdateRuntimeOn", .string(updateOn)), ("RuntimeVersionArn", runtimeVersion.map { .string($0) }))
  }

  /// Refuses a setting that the version cannot have.
  func check(for configuration: FunctionConfiguration) throws(AWSError) {
    guard updateOn == "Manual" else {
      if runtimeVersion != nil { throw .runtimeVersionWithoutManual() }
      return
    }
    guard let runtimeVersion else { throw .runtimeVersionMissing() }
    let known = configuration.runtime.map { RuntimeVersion.arn($0, region: configuration.place.region) }
    guard runtimeVersion == known else { throw .runtimeVersionUnknown(runtimeVersion) }
  }
}

extension AWSError {
  static func runtimeManagementOfAlias() -> AWSError {
    .invalidParameter("Runtime management is configured for $LATEST or a published version, not for an alias.")
  }

  static func runtimeVersionMissing() -> AWSError {
    .invalidParameter("RuntimeVersionArn must be specified when UpdateRuntimeOn is Manual.")
  }

  static func runtimeVersionWithoutManual() -> AWSError {
    .invalidParameter("RuntimeVersionArn can only be specified when UpdateRuntimeOn is Manual.")
  }

  static func runtimeVersionUnknown(_ arn: String) -> AWSError {
    .invalidParameter("The runtime version \(arn) does not exist or cannot run this function.")
  }
}

/// The setting as an answer.
struct RuntimeManagementOutput: Writable, Sendable {
  let arn: String
  let management: RuntimeManagement

  func write(to w: inout Writer) {
    w.body {
      $0.member("UpdateRuntimeOn", management.updateOn)
      $0.member("FunctionArn", arn)
      $0.member("RuntimeVersionArn", management.runtimeVersion)
    }
  }
}

extension LambdaService {
  /// The version whose runtime is meant.
  func runtimeManaged(_ name: FunctionNameParts?, qualifier: String?, _ call: Call) throws(AWSError) -> Found {
    let found = try find(name, qualifier: qualifier, call)
    guard found.alias == nil else { throw .runtimeManagementOfAlias() }
    return found
  }
}
