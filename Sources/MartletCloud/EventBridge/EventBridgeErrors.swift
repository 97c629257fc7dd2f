// Every refusal of EventBridge, in AWS's words.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html
import MartletCore
import MartletWire

extension AWSError {
  private static func events(_ code: String, _ message: String) -> AWSError { AWSError(code, status: 400, message) }

  static func eventsInvalid(_ message: String) -> AWSError { events("ValidationException", message) }

  static func eventsInvalid(_ parameter: String, _ reason: String) -> AWSError {
    eventsInvalid("Parameter \(parameter) is not valid. Reason: \(reason)")
  }

  static func eventsNotThere(_ message: String) -> AWSError { events("ResourceNotFoundException", message) }

  static func eventsExists(_ what: String) -> AWSError {
    events("ResourceAlreadyExistsException", "\(what) already exists.")
  }

  static func eventsIllegalStatus(_ what: String) -> AWSError {
    events("IllegalStatusException", "\(what) is not in a valid state for this operation.")
  }

  static func eventsLimit() -> AWSError {
    events("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
  }

  static func eventsPolicyTooLong() -> AWSError {
    events("PolicyLengthExceededException", "The policy length exceeds the limit of \(EventBridge.longestPolicy).")
  }

  static func eventsInvalidPattern(_ flaw: EventPatternFlaw) -> AWSError {
    events("InvalidEventPatternException", "Event pattern is not valid. Reason: \(flaw.message)")
  }

  static func eventsManagedRule(_ name: String) -> AWSError {
    events(
      "ManagedRuleException", "Rule \(name) is managed by an AWS service and can only be modified by that service.")
  }

  // MARK: - What is not there

  static func eventsNoBus(_ name: String) -> AWSError { eventsNotThere("Event bus \(name) does not exist.") }

  static func eventsNoRule(_ name: String, on bus: String) -> AWSError {
    eventsNotThere("Rule \(name) does not exist on EventBus \(bus).")
  }

  static func eventsNoArchive(_ name: String) -> AWSError { eventsNotThere("Archive \(name) does not exist.") }
  static func eventsNoReplay(_ name: String) -> AWSError { eventsNotThere("Replay \(name) does not exist.") }
  static func eventsNoStatement() -> AWSError {
    eventsNotThere("Statement with the provided id does not exist.")
  }
  static func eventsNoPolicy() -> AWSError { eventsNotThere("EventBus does not have a policy.") }

  // MARK: - Rules and targets

  static func eventsNoTrigger() -> AWSError {
    eventsInvalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
  }

  static func eventsScheduleOnCustomBus() -> AWSError {
    eventsInvalid("ScheduleExpression is supported only on the default event bus.")
  }

  static func eventsInvalidSchedule() -> AWSError { eventsInvalid("Parameter ScheduleExpression is not valid.") }
  static func eventsRuleHasTargets() -> AWSError { eventsInvalid("Rule can't be deleted since it has targets.") }

  static func eventsBusHasRules(_ name: String) -> AWSError {
    eventsInvalid("Event bus \(name) can't be deleted since it has rules.")
  }

  static func eventsTargetMissing(_ parameter: String, _ id: String) -> AWSError {
    eventsInvalid("Parameter(s) \(parameter) must be specified for target: \(id).")
  }

  static func eventsTooLarge() -> AWSError {
    eventsInvalid("Total size of the entries in the request is over the limit.")
  }
}

extension EventBridge {
  /// Bytes of all entries of a PutEvents together.
  static let largestRequest = 1 << 20
  /// Characters of a bus's policy.
  static let longestPolicy = 10240
  /// Of one rule. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
  static let targetsOfRule = 5
  /// Times that an event goes on from one bus to another.
  static let longestChain = 16
}
