// Every refusal of SNS, under the codes of the query protocol.
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
import MartletCore
import MartletWire

extension AWSError {
  private static func sns(_ code: String, _ message: String, status: Int = 400) -> AWSError {
    AWSError(code, status: status, message)
  }

  // MARK: - Parameters

  static func snsInvalid(_ words: String) -> AWSError { sns("InvalidParameter", "Invalid parameter: \(words)") }

  static func snsInvalidValue(_ words: String) -> AWSError { sns("ParameterValueInvalid", words) }

  static func snsNotARN(_ parameter: String, _ text: String) -> AWSError {
    let count = text.split(separator: ":", omittingEmptySubsequences: false).count
    return snsInvalid("\(parameter) Reason: An ARN must have at least 6 elements, not \(count)")
  }

  // MARK: - Topics and subscriptions

  static func snsNoTopic() -> AWSError { sns("NotFound", "Topic does not exist", status: 404) }

  static func snsNoSubscription() -> AWSError { sns("NotFound", "Subscription does not exist", status: 404) }

  static func snsNoResource() -> AWSError { sns("ResourceNotFound", "Resource does not exist", status: 404) }

  static func snsOtherAccount(_ arn: String, _ call: Call, _ action: String) -> AWSError {
    sns(
      "AuthorizationError",
      "User: \(call.identity.arn) is not authorized to perform: SNS:\(action) on resource: \(arn)", status: 403)
  }

  static func snsTopicDiffers(_ what: String) -> AWSError {
    snsInvalid("\(what) Reason: Topic already exists with different \(what.lowercased())")
  }

  static func snsSubscriptionDiffers() -> AWSError {
    snsInvalid("Attributes Reason: Subscription already exists with different attributes")
  }

  static func snsTooManyTags() -> AWSError {
    sns("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
  }

  static func snsTooManyFilters() -> AWSError {
    sns("FilterPolicyLimitExceeded", "Filter policy limit exceeded for this topic", status: 403)
  }

  // MARK: - Batches

  static func snsEmptyBatch() -> AWSError {
    sns("EmptyBatchRequest", "The batch request doesn't contain any entries.")
  }

  static func snsTooManyEntries() -> AWSError {
    sns("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
  }

  static func snsRepeatedEntryID() -> AWSError {
    sns("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
  }

  static func snsInvalidEntryID() -> AWSError {
    sns("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
  }

  static func snsBatchTooLong() -> AWSError {
    sns("BatchRequestTooLong", "The length of all the messages put together is more than the limit.")
  }
}

extension AWSError {
  // MARK: - Deliveries, as dead letters and the log show them

  static func snsUnreachable(_ why: String) -> AWSError { sns("EndpointUnreachable", why, status: 503) }

  static func snsAnswered(_ status: Int, _ body: String) -> AWSError {
    sns("\(status)", "The endpoint answered with \(status): \(body.prefix(256))", status: status)
  }
}
