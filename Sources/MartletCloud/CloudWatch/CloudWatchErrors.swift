// Every refusal of CloudWatch, under the model's code; and the codes that these have in the query protocol.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
import MartletCore
import MartletWire

extension CloudWatch {
  /// From the model's codes to those that CloudWatch has had since it spoke the query protocol, by which SDKs still go.
  package static let queryCodes: [String: String] = [
    "DashboardInvalidInputError": "InvalidParameterInput",
    "DashboardNotFoundError": "ResourceNotFound",
    "InternalServiceFault": "InternalServiceError",
    "InvalidFormatFault": "InvalidFormat",
    "InvalidParameterCombinationException": "InvalidParameterCombination",
    "InvalidParameterValueException": "InvalidParameterValue",
    "LimitExceededFault": "LimitExceeded",
    "MissingRequiredParameterException": "MissingParameter",
    "SerializationException": "MalformedInput",
    "ServiceException": "InternalFailure",
    "ValidationException": "ValidationError",
  ]
}

extension AWSError {
  static func cloudWatchToken() -> AWSError {
    AWSError("InvalidNextToken", status: 400, "The next token specified is invalid.")
  }

  /// What the validation of CloudWatch itself says.
  static func cloudWatchValidation(_ message: String) -> AWSError {
    AWSError("ValidationException", status: 400, message)
  }

  static func cloudWatchNotFound(_ message: String) -> AWSError {
    AWSError("ResourceNotFound", status: 404, message)
  }

  /// Of a resource that is named by its ARN.
  static func cloudWatchNoResource(_ arn: String) -> AWSError {
    var error = AWSError("ResourceNotFoundException", status: 404, "Unknown resource \(arn)")
    error.members = [("ResourceId", arn)]
    return error
  }

  static func cloudWatchFormat(_ message: String) -> AWSError { AWSError("InvalidFormatFault", status: 400, message) }

  static func cloudWatchStart() -> AWSError {
    cloudWatchInvalid("The parameter StartTime must be less than the parameter EndTime.")
  }

  static func cloudWatchPeriod() -> AWSError {
    cloudWatchInvalid("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
  }

  static func cloudWatchStatistic(_ name: String) -> AWSError {
    cloudWatchInvalid("The value \(name) for parameter Stat is not supported.")
  }
}
