// How asynchronous invocations of a function, a version or an alias are retried, and where their outcomes go.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
import MartletCore
import MartletStore
import MartletWire

package struct EventInvokeConfig: Attachment {
  /// nil: AWS's default, 2.
  package var maximumRetryAttempts: Int?
  /// Seconds; nil: AWS's default, 21600.
  package var maximumEventAge: Int?
  /// ARN of where a record of a successful invocation goes.
  package var onSuccess: String?
  /// ARN of where an event goes that was given up.
  package var onFailure: String?
  package var lastModified: Timestamp

  package init(lastModified: Timestamp) { self.lastModified = lastModified }

  /// The key among a function's attachments.
  static func key(_ reference: FunctionReference) -> String { reference.qualifier ?? "$LATEST" }

  package var json: JSONValue {
    .members(
      ("MaximumRetryAttempts", maximumRetryAttempts.map { .integer(Int64($0)) }),
      ("MaximumEventAgeInSeconds", maximumEventAge.map { .integer(Int64($0)) }),
      ("OnSuccess", onSuccess.map { .string($0) }), ("OnFailure", onFailure.map { .string($0) }),
      ("LastModifiedNanoseconds", .integer(lastModified.nanoseconds)))
  }

  package init?(json: JSONValue) {
    guard let modified = json["LastModifiedNanoseconds"]?.integer else { return nil }
    self.init(lastModified: Timestamp(nanoseconds: Int64(modified)))
    maximumRetryAttempts = json["MaximumRetryAttempts"]?.integer
    maximumEventAge = json["MaximumEventAgeInSeconds"]?.integer
    onSuccess = json["OnSuccess"]?.string
    onFailure = json["OnFailure"]?.string
  }

  /// The configuration as answers show it.
  func write(to w: inout MemberWriter, of key: FunctionKey, _ qualifier: String) {
    w.member("LastModified", Double(lastModified.milliseconds) / 1000)
    w.member("FunctionArn", FunctionReference(key: key, qualifier: qualifier).arn)
    w.member("MaximumRetryAttempts", maximumRetryAttempts)
    w.member("MaximumEventAgeInSeconds", maximumEventAge)
    w.object("DestinationConfig") {
      $0.object("OnSuccess") { $0.member("Destination", onSuccess) }
      $0.object("OnFailure") { $0.member("Destination", onFailure) }
    }
  }
}

/// What a request says of it. An empty destination takes one away.
struct EventInvokeRequest: Sendable {
  let maximumRetryAttempts: Int?
  let maximumEventAge: Int?
  /// False if the request says nothing of destinations.
  let hasDestinations: Bool
  let onSuccess: String?
  let onFailure: String?

  init(_ m: Members) {
    maximumRetryAttempts = m.integer("MaximumRetryAttempts", in: 0...2)
    maximumEventAge = m.integer("MaximumEventAgeInSeconds", in: 60...21_600)
    let destinations = m.object("DestinationConfig")
    hasDestinations = destinations != nil
    onSuccess = EventInvokeRequest.destination(destinations?.object("OnSuccess"))
    onFailure = EventInvokeRequest.destination(destinations?.object("OnFailure"))
  }

  private static func destination(_ m: Members?) -> String? {
    m?.string("Destination", .length(nil, 350), .pattern(pattern))
  }

  private static let pattern = Pattern(
    #"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"#
  )

  /// Refuses what says nothing.
  func requireSettings() throws(AWSError) {
    guard maximumRetryAttempts != nil || maximumEventAge != nil || hasDestinations else {
      throw .noEventInvokeSettings()
    }
  }

  /// `config` with what the request says.
  func changing(_ config: EventInvokeConfig, at now: Timestamp) -> EventInvokeConfig {
    var config = config
    config.lastModified = now
    config.maximumRetryAttempts = maximumRetryAttempts ?? config.maximumRetryAttempts
    config.maximumEventAge = maximumEventAge ?? config.maximumEventAge
    if let onSuccess { config.onSuccess = onSuccess.isEmpty ? nil : onSuccess }
    if let onFailure { config.onFailure = onFailure.isEmpty ? nil : onFailure }
    return config
  }

  /// Refuses destinations that outcomes of the function cannot go to.
  /// - Parameter exists: tells whether there is a function; those of other regions and accounts are taken on trust.
  func checkDestinations(of key: FunctionKey, exists: (FunctionKey) -> Bool) throws(AWSError) {
    // Whatever else is wrong is said first, as AWS does.
    var isValid = true
    for (destination, kinds) in [
      (onFailure, ["lambda", "sqs", "sns", "events", "s3"]), (onSuccess, ["lambda", "sqs", "sns", "events"]),
    ] {
      guard let destination, !destination.isEmpty else { continue }
      guard let arn = ARN(destination), kinds.contains(arn.service) else {
        isValid = false
        continue
      }
      guard arn.service == "lambda" else { continue }
      guard let target = FunctionNameParts(destination), arn.resource.hasPrefix("function:") else {
        throw .destinationInvalid(destination)
      }
      guard arn.region == key.place.region.name, arn.account == key.place.account.id else { continue }
      guard target.name != key.name else { throw .destinationIsFunction() }
      guard exists(FunctionKey(place: key.place, name: target.name)) else { throw .destinationInvalid(destination) }
    }
    if !isValid { throw .destinationConfigInvalid(onSuccess: onSuccess, onFailure: onFailure) }
  }
}

extension AWSError {
  static func noEventInvokeSettings() -> AWSError {
    .invalidParameter("You must specify at least one of error handling or destination setting.")
  }

  static func eventInvokeFunctionNotFound() -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "The function doesn't exist.", messageKey: .upper)
  }

  static func noEventInvokeConfig(_ arn: String) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "The function \(arn) doesn't have an EventInvokeConfig",
      messageKey: .upper)
  }

  static func destinationInvalid(_ arn: String) -> AWSError {
    .invalidParameter("The destination ARN \(arn) is invalid.")
  }

  static func destinationIsFunction() -> AWSError {
    .invalidParameter("You can't specify the function as a destination for itself.")
  }

  static func destinationConfigInvalid(onSuccess: String?, onFailure: String?) -> AWSError {
    func shown(_ name: String, _ destination: String?) -> String {
      destination.flatMap { $0.isEmpty ? nil : "\(name)(destination=\($0))" } ?? "null"
    }
    return .invalidParameter(
      "The provided destination config DestinationConfig(onSuccess=\(shown("OnSuccess", onSuccess)), "
        + "onFailure=\(shown("OnFailure", onFailure))) is invalid.")
  }
}

/// A configuration as an answer.
struct EventInvokeOutput: Writable, Sendable {
  let key: FunctionKey
  let qualifier: String
  let config: EventInvokeConfig

  func write(to w: inout Writer) { w.body { config.write(to: &$0, of: key, qualifier) } }
}

/// What Put and Update are told.
struct EventInvokeInput: Sendable {
  let name: FunctionNameParts?
  let qualifier: String?
  let request: EventInvokeRequest

  init(_ r: Reader, _ operation: String) throws(AWSError) {
    name = r.functionName()
    qualifier = r.qualifier()
    request = EventInvokeRequest(try r.smallBody(operation))
  }
}

extension LambdaService {
  /// Puts or updates a configuration.
  /// - Parameter body: makes the new one from the old one.
  func changeEventInvoke(
    _ input: EventInvokeInput, _ call: Call,
    _ body: @escaping @Sendable (EventInvokeConfig?, _ arn: String, Timestamp) throws(AWSError) -> EventInvokeConfig
  ) async throws(AWSError) -> EventInvokeOutput {
    try input.request.requireSettings()
    let reference = try self.reference(input.name, qualifier: input.qualifier, call)
    let qualifier = EventInvokeConfig.key(reference)
    let (now, functions) = (world.now(), functions)
    let config = try await functions.change(reference.key) {
      (after: inout FunctionRecord?) throws(AWSError) -> EventInvokeConfig in
      guard var record = after, record.revision(of: qualifier) != nil else { throw .eventInvokeFunctionNotFound() }
      let arn = FunctionReference(key: reference.key, qualifier: qualifier).arn
      try input.request.checkDestinations(of: reference.key) { functions.catalogue.newest($0) != nil }
      let config = try body(record.eventInvokeConfigs[qualifier], arn, now)
      record.eventInvokeConfigs[qualifier] = config
      after = record
      return config
    }
    return EventInvokeOutput(key: reference.key, qualifier: qualifier, config: config)
  }
}
