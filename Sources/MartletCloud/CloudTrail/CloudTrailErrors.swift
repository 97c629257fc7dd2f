// The refusals of CloudTrail.
import MartletCore

extension AWSError {
  private static func cloudTrail(_ code: String, _ message: String) -> AWSError {
    AWSError("\(code)Exception", status: 400, message, type: nil)
  }

  // MARK: - Trails

  static func trailNotFound(_ name: String, _ account: Account) -> AWSError {
    cloudTrail("TrailNotFound", "Unknown trail: \(name) for the user: \(account)")
  }

  static func trailExists(_ name: String, _ account: Account) -> AWSError {
    cloudTrail("TrailAlreadyExists", "Trail \(name) already exists for customer: \(account)")
  }

  static func tooManyTrails(_ place: Place) -> AWSError {
    cloudTrail(
      "MaximumNumberOfTrailsExceeded",
      "User: \(place.account) already has \(Trail.most) trails in \(place.region).")
  }

  static func trailNameTooShort(_ count: Int) -> AWSError {
    invalidTrailName(
      "Trail name too short. Minimum allowed length: 3 characters. Specified name length: \(count) characters.")
  }

  static func trailNameTooLong(_ count: Int) -> AWSError {
    invalidTrailName(
      "Trail name too long. Maximum allowed length: 128 characters. Specified name length: \(count) characters.")
  }

  static func trailNameStart() -> AWSError { invalidTrailName("Trail name must starts with a letter or number.") }
  static func trailNameEnd() -> AWSError { invalidTrailName("Trail name must ends with a letter or number.") }

  static func trailNameCharacters() -> AWSError {
    invalidTrailName(
      "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_)."
    )
  }

  private static func invalidTrailName(_ message: String) -> AWSError { cloudTrail("InvalidTrailName", message) }

  static func trailOfAnotherRegion(_ trail: Trail) -> AWSError {
    cloudTrail(
      "InvalidHomeRegion",
      "Trail \(trail.arn) can only be changed in its home region: \(trail.key.place.region).")
  }

  static func cloudTrailARN(_ arn: String) -> AWSError {
    cloudTrail("CloudTrailARNInvalid", "Invalid ARN: \(arn)")
  }

  static func cloudTrailNoBucket(_ name: String) -> AWSError {
    cloudTrail("S3BucketDoesNotExist", "S3 bucket \(name) does not exist!")
  }

  static func cloudTrailBucketName(_ name: String) -> AWSError {
    cloudTrail("InvalidS3BucketName", "Bucket name is invalid: \(name)")
  }

  static func cloudTrailPrefix() -> AWSError {
    cloudTrail("InvalidS3Prefix", "The S3 key prefix must have at most 200 characters and must not end with a slash.")
  }

  static func cloudTrailTopic(_ name: String) -> AWSError {
    cloudTrail("InvalidSnsTopicName", "SNS Topic does not exist or the topic policy is incorrect: \(name)")
  }

  static func cloudTrailNeedsGlobal() -> AWSError {
    cloudTrail("InvalidParameterCombination", "Multi-Region trail must include global service events.")
  }

  static func cloudTrailNeedsRole() -> AWSError {
    cloudTrail(
      "InvalidParameterCombination",
      "CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn must be specified together.")
  }

  static func cloudTrailLogGroup(_ arn: String) -> AWSError {
    cloudTrail("InvalidCloudWatchLogsLogGroupArn", "CloudTrail cannot validate the specified log group ARN: \(arn)")
  }

  static func cloudTrailOrganization() -> AWSError {
    cloudTrail("UnsupportedOperation", "Organization trails are not supported: this server knows no organizations.")
  }

  // MARK: - Selectors

  static func cloudTrailSelectors(_ message: String) -> AWSError { cloudTrail("InvalidEventSelectors", message) }

  static func insightsOff(_ trail: Trail) -> AWSError {
    cloudTrail(
      "InsightNotEnabled",
      "Trail \(trail.arn) does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again."
    )
  }

  static func insightsNeedTrail() -> AWSError {
    cloudTrail("InvalidParameterCombination", "Specify either TrailName or EventDataStore.")
  }

  // MARK: - Tags

  static func cloudTrailTooManyTags() -> AWSError {
    cloudTrail(
      "TagsLimitExceeded", "The number of tags per trail has exceeded the permitted amount (\(CloudTrailTag.most)).")
  }

  static func cloudTrailTagTwice() -> AWSError {
    cloudTrail("InvalidTagParameter", "Tag keys must be unique.")
  }

  static func cloudTrailNoResource(_ arn: String) -> AWSError {
    cloudTrail("ResourceNotFound", "Resource not found: \(arn)")
  }

  // MARK: - Events

  static func lookupAttributes() -> AWSError {
    cloudTrail("InvalidLookupAttributes", "You can only specify one lookup attribute.")
  }

  static func lookupTimes() -> AWSError {
    cloudTrail("InvalidTimeRange", "The start time must be before the end time.")
  }

  static func lookupToken() -> AWSError { cloudTrail("InvalidNextToken", "Invalid NextToken.") }

  static func cloudTrailBusy() -> AWSError {
    AWSError("ThrottlingException", status: 400, "Rate exceeded", type: nil)
  }
}
