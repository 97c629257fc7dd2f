// The refusals of X-Ray.
import MartletCore

extension AWSError {
  private static func xrayInvalid(_ message: String) -> AWSError {
    AWSError("InvalidRequestException", status: 400, message, type: nil, messageKey: .upper)
  }

  static func xrayInvalidFilter(_ flaw: TraceFilterParser.Flaw) -> AWSError {
    xrayInvalid("Invalid filter expression: \(flaw.reason) at position \(flaw.position)")
  }

  static func xrayInvalidTimeRange() -> AWSError {
    xrayInvalid("Invalid request. StartTime must be before EndTime.")
  }

  static func xrayTimeRangeTooLong() -> AWSError {
    xrayInvalid("Time range cannot be longer than 24 hours.")
  }

  static func xrayInvalidToken() -> AWSError { xrayInvalid("Invalid NextToken") }
  static func xrayTooManyTraceIDs() -> AWSError {
    xrayInvalid("Invalid request. At most 5 trace IDs are allowed.")
  }
  static func xrayNoGroup() -> AWSError { xrayInvalid("Group not found.") }
  static func xrayGroupExists() -> AWSError { xrayInvalid("Group already exists.") }
  static func xrayGroupLimit() -> AWSError { xrayInvalid("Group limit exceeded.") }
  static func xrayNeedsGroup() -> AWSError {
    xrayInvalid("Exactly one of GroupName and GroupARN must be specified.")
  }
  static func xrayNotificationsNeedInsights() -> AWSError {
    xrayInvalid("Notifications cannot be enabled without Insights.")
  }

  static func xrayNoRule() -> AWSError { xrayInvalid("Sampling rule does not exist.") }
  static func xrayRuleExists() -> AWSError { xrayInvalid("Sampling rule already exists.") }
  static func xrayNeedsRule() -> AWSError {
    xrayInvalid("Exactly one of RuleName and RuleARN must be specified.")
  }
  static func xrayInvalidRule(_ what: String) -> AWSError {
    xrayInvalid("Invalid sampling rule: \(what).")
  }
  static func xrayDefaultRule(_ what: String) -> AWSError {
    xrayInvalid("The Default rule \(what).")
  }

  static func xrayRuleLimit() -> AWSError {
    AWSError(
      "RuleLimitExceededException", status: 400, "Sampling rule limit exceeded.", type: nil,
      messageKey: .upper)
  }

  static func xrayInvalidKey() -> AWSError {
    xrayInvalid("KeyId must be specified if and only if Type is KMS.")
  }

  static func xrayNoResource(_ arn: String) -> AWSError {
    var error = AWSError(
      "ResourceNotFoundException", status: 404, "Resource not found.", type: nil, messageKey: .upper
    )
    error.members = [("ResourceName", arn)]
    return error
  }

  static func xrayTooManyTags() -> AWSError {
    AWSError(
      "TooManyTagsException", status: 400, "A resource can have at most \(XRayTag.most) tags.",
      type: nil,
      messageKey: .upper)
  }

  static func xrayBusy() -> AWSError {
    AWSError(
      "ThrottledException", status: 429, "Too much waits to be written.", type: nil,
      messageKey: .upper)
  }
}
