// Every refusal of SQS, under the model's code, with the code of the query protocol where that is another.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
import MartletCore

extension SQS {
  /// From the model's codes to those that SQS has had since it spoke the query protocol, by which SDKs still go.
  package static let queryCodes: [String: String] = [
    "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
    "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
    "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
    "MissingRequiredParameterException": "MissingParameter",
    "PurgeQueueInProgress": "AWS.SimpleQueueService.PurgeQueueInProgress",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "ServiceException": "InternalFailure",
    "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
  ]
}

extension AWSError {
  private static func sqs(_ code: String, _ message: String, status: Int = 400) -> AWSError {
    AWSError(code, status: status, message)
  }

  // MARK: - Parameters

  package static func sqsMissing(_ parameter: String) -> AWSError {
    sqs("MissingRequiredParameterException", "The request must contain the parameter \(parameter).")
  }

  package static func sqsInvalid(_ message: String) -> AWSError { sqs("InvalidParameterValueException", message) }

  package static func sqsInvalid(_ value: some CustomStringConvertible, for parameter: String, _ reason: String)
    -> AWSError
  {
    sqsInvalid("Value \(value) for parameter \(parameter) is invalid. Reason: \(reason)")
  }

  package static func sqsNotForThisType(_ value: some CustomStringConvertible, for parameter: String) -> AWSError {
    sqsInvalid(value, for: parameter, "The request include parameter that is not valid for this queue type.")
  }

  package static func sqsUnknownAttribute(_ name: String) -> AWSError {
    sqs("InvalidAttributeName", "Unknown Attribute \(name).")
  }

  package static func sqsInvalidAttribute(_ name: String) -> AWSError {
    sqs("InvalidAttributeValue", "Invalid value for the parameter \(name).")
  }

  // MARK: - Queues

  package static func sqsNoQueue() -> AWSError { sqs("QueueDoesNotExist", "The specified queue does not exist.") }

  package static func sqsOtherAccount(_ url: String) -> AWSError {
    sqs("AccessDeniedException", "Access to the resource \(url) is denied.", status: 403)
  }

  package static func sqsQueueExists(_ attribute: String) -> AWSError {
    sqs(
      "QueueNameExists",
      "A queue already exists with the same name and a different value for attribute \(attribute)")
  }

  package static func sqsPurging(_ queue: String) -> AWSError {
    sqs("PurgeQueueInProgress", "Only one PurgeQueue operation on \(queue) is allowed every 60 seconds.", status: 403)
  }

  package static func sqsNoResource(_ parameter: String) -> AWSError {
    sqs(
      "ResourceNotFoundException", "The resource that you specified for the \(parameter) parameter doesn't exist.",
      status: 404)
  }

  package static func sqsUnsupported(_ message: String) -> AWSError { sqs("UnsupportedOperation", message) }

  package static func sqsOverLimit(_ message: String) -> AWSError { sqs("OverLimit", message, status: 403) }

  // MARK: - Messages

  package static func sqsInvalidContents() -> AWSError {
    sqs(
      "InvalidMessageContents",
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )
  }

  package static func sqsTooLong(_ limit: Int) -> AWSError {
    sqsInvalid("One or more parameters are invalid. Reason: Message must be shorter than \(limit) bytes.")
  }

  package static func sqsInvalidReceipt(_ handle: String) -> AWSError {
    sqs("ReceiptHandleIsInvalid", "The input receipt handle \"\(handle)\" is not a valid receipt handle.")
  }

  package static func sqsExpiredReceipt(_ handle: String) -> AWSError {
    sqsInvalid(handle, for: "ReceiptHandle", "The receipt handle has expired.")
  }

  package static func sqsNotInFlight() -> AWSError {
    sqs("MessageNotInflight", "The specified message isn't in flight.")
  }

  package static func sqsNotAvailable(_ handle: String) -> AWSError {
    sqsInvalid(
      handle, for: "ReceiptHandle",
      "Message does not exist or is not available for visibility timeout change.")
  }

  // MARK: - Batches

  package static func sqsEmptyBatch(_ kind: String) -> AWSError {
    sqs("EmptyBatchRequest", "There should be at least one \(kind) in the request.")
  }

  package static func sqsTooManyEntries(_ count: Int) -> AWSError {
    sqs(
      "TooManyEntriesInBatchRequest",
      "Maximum number of entries per request are \(SQS.largestBatch). You have sent \(count).")
  }

  package static func sqsRepeatedEntryID(_ id: String) -> AWSError {
    sqs("BatchEntryIdsNotDistinct", "Id \(id) repeated.")
  }

  package static func sqsInvalidEntryID() -> AWSError {
    sqs(
      "InvalidBatchEntryId",
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )
  }

  package static func sqsBatchTooLong(_ size: Int, limit: Int) -> AWSError {
    sqs("BatchRequestTooLong", "Batch requests cannot be longer than \(limit) bytes. You have sent \(size) bytes.")
  }
}
