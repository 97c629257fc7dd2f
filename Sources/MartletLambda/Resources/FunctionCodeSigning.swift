// The code signing configuration of a function, and what it demands of code that is deployed (docs/code-signing.md).
import Logging
import MartletCore
import MartletStore
import MartletWire

package struct FunctionCodeSigning: Attachment {
  /// Of the configuration.
  package let arn: String

  package init(arn: String) { self.arn = arn }

  package init?(json: JSONValue) {
    guard let arn = json["CodeSigningConfigArn"]?.string else { return nil }
    self.arn = arn
  }

  package var json: JSONValue { .members(("CodeSigningConfigArn", .string(arn))) }
}

extension FunctionRecord {
  /// The ARN of the function's code signing configuration.
  package var codeSigningConfigARN: String? { codeSigning[""]?.arn }
}

extension LambdaService {
  /// The configuration that a function shall use.
  /// - Parameter isWriting: in the body of a change, which sees changes that are not on disk yet.
  func usableCodeSigningConfig(
    _ arn: String, in place: Place, isWriting: Bool = false
  ) throws(AWSError) -> CodeSigningConfig {
    let configs = resources.codeSigningConfigs
    guard let key = CodeSigningConfig.key(arn, in: place),
      let config = isWriting ? configs.newest(key) : configs.find(key)
    else { throw .usedCodeSigningConfigNotFound(arn) }
    return config
  }

  /// True if there is a signature in each of the packages. Whose it is, and of what, is not looked at.
  func areSigned(_ packages: [CodePackage]) -> Bool { packages.allSatisfy { self.packages.hasSignature($0) } }

  /// Refuses code without a signature where one is demanded.
  /// - Parameters:
  ///   - arn: of the function's code signing configuration; nil demands nothing.
  ///   - key: of the function.
  ///   - isWriting: in the body of a change.
  func requireSignature(
    _ isSigned: Bool, _ arn: String?, of key: FunctionKey, isWriting: Bool = false
  ) throws(AWSError) {
    guard let arn else { return }
    let config = try usableCodeSigningConfig(arn, in: key.place, isWriting: isWriting)
    guard isSigned || config.policy == .warn else { throw .unsigned() }
    if !isSigned, isWriting {
      log.notice("code without a signature is deployed", metadata: ["code-signing-config": "\(config.key.name)"])
      metrics.note(.signatureValidationErrors, of: FunctionReference(key: key, qualifier: nil))
    }
  }
}
