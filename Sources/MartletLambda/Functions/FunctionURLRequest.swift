// What requests say of function URLs, and how answers show them.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
import MartletCore
import MartletWire

/// Which URL of which function is meant.
struct FunctionURLTarget: Sendable {
  private let name: FunctionNameParts?
  private let qualifier: String?

  private static let aliasPattern = Pattern(#"((?!^\d+$)^[0-9a-zA-Z-_]+$)"#)

  init(_ r: Reader) {
    name = r.functionName(.alias)
    qualifier = r.query("Qualifier", .length(1, 128), .pattern(FunctionURLTarget.aliasPattern))
  }

  func resolve(_ call: Call, _ lambda: LambdaService) throws(AWSError) -> FunctionReference {
    try lambda.reference(name, qualifier: qualifier, call)
  }
}

/// The settings of a URL, as far as a request has them.
struct FunctionURLSettings: Sendable {
  let authType: String?
  let cors: FunctionURL.CORS?
  let invokeMode: String?

  private static let authTypes = ["NONE", "AWS_IAM"]

  init(_ m: Members, requiresAuthType: Bool) {
    let enumeration = Constraint.oneOf(FunctionURLSettings.authTypes)
    authType = requiresAuthType ? m.required("AuthType", enumeration) : m.string("AuthType", enumeration)
    cors = m.object("Cors").map(FunctionURL.CORS.init)
    invokeMode = m.string("InvokeMode", .oneOf(["RESPONSE_STREAM", "BUFFERED"]))
  }

  func apply(to url: inout FunctionURL) {
    if let authType { url.authType = authType }
    // An empty structure takes the settings away.
    if let cors { url.cors = cors == FunctionURL.CORS() ? nil : cors }
    if let invokeMode { url.invokeMode = invokeMode }
  }
}

/// A URL as an answer.
struct FunctionURLOutput: Writable, Sendable {
  let reference: FunctionReference
  let url: FunctionURL
  let host: String
  /// CreateFunctionUrlConfig does not tell it.
  var showsLastModified = true
  /// Create and Update tell the mode only to those who gave one.
  var showsMode = true

  func write(to w: inout Writer) { w.body { write(to: &$0) } }

  func write(to w: inout MemberWriter) {
    w.member("FunctionUrl", url.url(reference.key.place.region, host: host))
    w.member("FunctionArn", reference.arn)
    w.member("AuthType", url.authType)
    w.member("Cors", url.cors?.json)
    w.member("CreationTime", url.created.iso8601)
    if showsLastModified { w.member("LastModifiedTime", url.lastModified.iso8601) }
    if showsMode { w.member("InvokeMode", url.invokeMode) }
  }
}

extension FunctionRecord {
  /// The function itself, or the alias that a URL can belong to.
  func hasURLTarget(_ reference: FunctionReference) -> Bool {
    reference.qualifier.map { aliases[$0] != nil } ?? true
  }
}

extension AWSError {
  static func urlFunctionNotFound() -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "Function does not exist", messageKey: .upper)
  }

  /// Two blanks stand in AWS's text.
  static func urlExists(_ arn: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "Failed to create function url config for [functionArn = \(arn)]. "
        + "Error message:  FunctionUrlConfig exists for this Lambda function")
  }
}
