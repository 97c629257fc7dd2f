// The refusals of EventBridge Scheduler, in AWS's words where these are known (docs/scheduler.md).
import MartletCore

extension AWSError {
  private static func refused(_ message: String) -> AWSError {
    AWSError("ValidationException", status: 400, message, type: nil, messageKey: .upper)
  }

  static func schedulerInvalidExpression(_ text: String) -> AWSError { refused("Invalid Schedule Expression \(text).") }

  /// A host without the package tzdata knows UTC only.
  static func schedulerInvalidZone(_ name: String) -> AWSError {
    refused("The time zone \(name) is not valid.").noting("time zones are those of /usr/share/zoneinfo: install tzdata")
  }

  static func schedulerInvalidWindow(isFlexible: Bool) -> AWSError {
    refused(
      isFlexible
        ? "MaximumWindowInMinutes is required when the FlexibleTimeWindow mode is FLEXIBLE."
        : "MaximumWindowInMinutes must not be set when the FlexibleTimeWindow mode is OFF.")
  }

  static func schedulerStartTooEarly() -> AWSError {
    refused("The StartDate you specify cannot be earlier than 5 minutes ago.")
  }

  static func schedulerEndBeforeStart() -> AWSError {
    refused("The EndDate you specify must come after the StartDate.")
  }
  static func schedulerEndInThePast() -> AWSError { refused("The EndDate you specify cannot be in the past.") }
  static func schedulerInvalidDate(_ name: String) -> AWSError { refused("The \(name) you specify is not valid.") }
  static func schedulerInvalidTarget() -> AWSError { refused("Provided Arn is not in correct format.") }
  static func schedulerInputIsNoJSON() -> AWSError { refused("The Input of this target must be well-formed JSON.") }
  static func schedulerNoInput(_ arn: String) -> AWSError { refused("The target \(arn) needs an Input.") }

  static func schedulerNoPartitionKey() -> AWSError {
    refused("KinesisParameters.PartitionKey is required for a target that is a stream of Kinesis.")
  }

  static func schedulerNoMessageGroup() -> AWSError {
    refused("SqsParameters.MessageGroupId is required for FIFO queues.")
  }

  static func schedulerNoEventParameters() -> AWSError {
    refused("EventBridgeParameters are required for the target of an event bus.")
  }

  static func schedulerInvalidToken() -> AWSError { refused("Invalid NextToken.") }

  static func schedulerRoleNotAssumable() -> AWSError {
    refused("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
  }

  /// For dead letters: the caller is gone.
  static func schedulerTooOld() -> AWSError {
    AWSError(
      "EventAgeExceeded", status: 400, "The invocation is older than the schedule's MaximumEventAgeInSeconds.",
      type: nil, messageKey: .upper)
  }

  static func schedulerDefaultGroup() -> AWSError { refused("The default schedule group cannot be deleted.") }

  static func schedulerTooManyTags(_ most: Int) -> AWSError {
    AWSError(
      "ServiceQuotaExceededException", status: 402, "A schedule group can have at most \(most) tags.", type: nil,
      messageKey: .upper)
  }

  private static func missing(_ message: String) -> AWSError {
    AWSError("ResourceNotFoundException", status: 404, message, type: nil, messageKey: .upper)
  }

  static func schedulerNoSchedule(_ name: String) -> AWSError { missing("Schedule \(name) does not exist.") }
  static func schedulerNoGroup(_ name: String) -> AWSError { missing("Schedule group \(name) does not exist.") }

  private static func conflict(_ message: String) -> AWSError {
    AWSError("ConflictException", status: 409, message, type: nil, messageKey: .upper)
  }

  static func schedulerScheduleExists(_ name: String) -> AWSError { conflict("Schedule \(name) already exists.") }
  static func schedulerGroupExists(_ name: String) -> AWSError { conflict("Schedule group \(name) already exists.") }
  static func schedulerGroupIsDeleting(_ name: String) -> AWSError {
    conflict("Schedule group \(name) is being deleted.")
  }
}
