// How many execution environments a version has on the instances of its capacity provider.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionScalingConfig.html
import MartletCore
import MartletWire

package struct FunctionScalingConfig: Attachment {
  /// Environments; nil: not limited by the caller.
  package let minimum: Int?
  package let maximum: Int?

  package init(minimum: Int?, maximum: Int?) {
    self.minimum = minimum
    self.maximum = maximum
  }

  init(_ m: Members) {
    minimum = m.integer("MinExecutionEnvironments", in: 0...15_000)
    maximum = m.integer("MaxExecutionEnvironments", in: 0...15_000)
  }

  package init?(json: JSONValue) {
    guard json.members != nil else { return nil }
    self.init(
      minimum: json["MinExecutionEnvironments"]?.integer, maximum: json["MaxExecutionEnvironments"]?.integer)
  }

  package var json: JSONValue {
    .members(
      ("MinExecutionEnvironments", minimum.map { .integer(Int64($0)) }),
      ("MaxExecutionEnvironments", maximum.map { .integer(Int64($0)) }))
  }

  func check() throws(AWSError) {
    if let minimum, let maximum, minimum > maximum { throw .scalingMinimumAboveMaximum(minimum, maximum) }
  }
}

extension AWSError {
  static func scalingNeedsCapacityProvider() -> AWSError {
    .invalidParameter("A scaling configuration needs a function version with a capacity provider.")
  }

  static func scalingMinimumAboveMaximum(_ minimum: Int, _ maximum: Int) -> AWSError {
    .invalidParameter(
      "MinExecutionEnvironments (\(minimum)) must not be greater than MaxExecutionEnvironments (\(maximum)).")
  }
}

extension Reader {
  /// The query's `Qualifier`, which must be there: a number or `$LATEST.PUBLISHED`.
  func scalingQualifier() -> String { requiredQuery("Qualifier", .length(1, 128), .pattern(scalingPattern)) }
}

private let scalingPattern = Pattern(#"(\$LATEST\.PUBLISHED|[0-9]+)"#)

extension FunctionRecord {
  /// The version that is scaled.
  /// - Throws: 404 if it is not there, 400 if it has no capacity provider.
  func scalable(_ qualifier: String) throws(AWSError) -> FunctionConfiguration {
    guard let version = VersionName(qualifier).flatMap({ configuration($0) }) else {
      throw .functionNotFound(FunctionReference(key: key, qualifier: qualifier).arn)
    }
    guard version.hasCapacityProvider else { throw .scalingNeedsCapacityProvider() }
    return version
  }
}
