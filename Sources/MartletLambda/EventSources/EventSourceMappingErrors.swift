// What the service says of event source mappings (reference/api-validation.md 3.14).
import MartletCore

extension AWSError {
  static func taggedMappingNotFound(_ arn: String) -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, "Event source mapping not found: \(arn)", messageKey: .upper)
  }

  static func mappingNotFound() -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "The resource you requested does not exist.", messageKey: .upper)
  }

  /// - Parameter verb: `update` or `delete`.
  static func mappingInUse(_ verb: String) -> AWSError {
    AWSError(
      "ResourceInUseException", status: 400, "Cannot \(verb) the event source mapping because it is in use.",
      messageKey: .upper)
  }

  static func mappingExists(_ what: String, _ uuid: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "\(what) already exists. Please update or delete the existing mapping with UUID \(uuid)")
  }

  static func unrecognizedSource() -> AWSError { .invalidParameter("Unrecognized event source.") }

  static func mappedFunctionMissing() -> AWSError { .invalidParameter("Function does not exist") }

  static func mappedQueueUnusable(_ code: String, _ message: String) -> AWSError {
    .invalidParameter("Error occurred while ReceiveMessage. SQS Error Code: \(code). SQS Error Message: \(message)")
  }

  static func mappedQueueForbidden() -> AWSError {
    .invalidParameter("The provided execution role does not have permissions to call ReceiveMessage on SQS")
  }

  /// Both in seconds.
  static func visibilityTooShort(_ visibility: Int, timeout: Int) -> AWSError {
    .invalidParameter(
      "Queue visibility timeout: \(visibility) seconds is less than Function timeout: \(timeout) seconds")
  }

  static func startingPositionMissing() -> AWSError {
    .invalidParameter(
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
        + "Member must not be null.")
  }

  static func startingPositionUnsupported(_ arn: String) -> AWSError {
    .invalidParameter("Unsupported starting position for arn type: \(arn)")
  }

  static func startingPositionOfQueue() -> AWSError {
    .invalidParameter("StartingPosition is not valid for SQS event sources.")
  }

  static func positionTimestampUnused() -> AWSError {
    .invalidParameter("StartingPositionTimestamp is valid only with the StartingPosition AT_TIMESTAMP.")
  }

  static func settingUnsupported(_ name: String) -> AWSError {
    .invalidParameter("Unsupported \(name) parameter for given event source mapping type.")
  }

  /// - Parameter name: as it stands in a message: with a small first letter.
  static func settingMissing(_ name: String) -> AWSError {
    .invalidParameter("Required '\(name)' parameter is missing.")
  }

  static func batchingWindowMissing() -> AWSError {
    .invalidParameter(
      "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
  }

  static func batchSizeOfFIFO(_ size: Int) -> AWSError {
    .invalidParameter("Batch size \(size) is not supported for FIFO queues. The maximum is 10.")
  }

  static func batchingWindowOfFIFO() -> AWSError {
    .invalidParameter("Batching window is not supported for FIFO queues.")
  }

  static func recordAgeInvalid(_ seconds: Int) -> AWSError {
    .invalidParameter("MaximumRecordAgeInSeconds must be -1 or between 60 and 604800, not \(seconds).")
  }

  static func tumblingWindowNotParallel() -> AWSError {
    .invalidParameter("TumblingWindowInSeconds requires a ParallelizationFactor of 1.")
  }

  static func scalingOfProvisionedPollers() -> AWSError {
    .invalidParameter("MaximumConcurrency and ProvisionedPollerConfig cannot be used together.")
  }

  static func pollersInvalid(_ least: Int) -> AWSError {
    .invalidParameter(
      "MinimumPollers must be at least \(least), and MaximumPollers must not be lower than MinimumPollers.")
  }

  static func tooManyFilters(_ limit: Int) -> AWSError {
    .invalidParameter("FilterCriteria cannot have more than \(limit) filters.")
  }

  static func filterPatternInvalid() -> AWSError { .invalidParameter("Invalid filter pattern definition.") }
}
