// Finds the version that a caller named.
import MartletCore
import MartletWire

extension LambdaService {
  package struct Found: Sendable {
    package let reference: FunctionReference
    package let record: FunctionRecord
    package let configuration: FunctionConfiguration
    /// The alias that the caller named.
    package let alias: Alias?
    /// The ARN as answers about this version show it: qualified if the caller qualified it.
    package let shownARN: String
  }

  /// - Parameter name: nil only if the reader has recorded a violation, after which no operation is answered.
  package func find(_ name: FunctionNameParts?, qualifier: String?, _ call: Call) throws(AWSError) -> Found {
    let reference = try self.reference(name, qualifier: qualifier, call)
    guard let record = functions.find(reference.key) else { throw .functionNotFound(reference.arn) }
    let alias = reference.qualifier.flatMap { record.aliases[$0] }
    guard let version = alias?.version ?? VersionName(reference.qualifier ?? "$LATEST"),
      let configuration = record.configuration(version)
    else { throw .functionNotFound(reference.arn) }
    let shown =
      if alias != nil { reference.arn } else if reference.qualifier == nil { configuration.unqualifiedARN } else {
        configuration.qualifiedARN
      }
    return Found(
      reference: reference, record: record, configuration: configuration, alias: alias, shownARN: shown)
  }

  package func reference(_ name: FunctionNameParts?, qualifier: String?, _ call: Call) throws(AWSError)
    -> FunctionReference
  {
    guard let name else { preconditionFailure("the reader refuses a request without a valid name") }
    return try name.resolve(qualifier: qualifier, in: call.place)
  }
}
