// What S3 says of configurations, tags and locks. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import MartletCore
import MartletWire

extension AWSError {
  /// A configuration that was never made.
  static func noSetting(_ code: String, _ message: String, _ bucket: String) -> AWSError {
    var error = AWSError(code, status: 404, message)
    error.members = [("BucketName", bucket)]
    return error
  }

  /// One of several.
  static func noConfiguration() -> AWSError {
    AWSError("NoSuchConfiguration", status: 404, "The specified configuration does not exist.")
  }

  static func invalidConfigurationID() -> AWSError {
    AWSError("InvalidConfigurationId", status: 400, "The specified configuration id is invalid.")
  }

  static func s3BadRequest(_ message: String) -> AWSError { AWSError("BadRequest", status: 400, message) }

  static func s3InvalidTag(_ message: String, key: String, value: String?) -> AWSError {
    var error = AWSError("InvalidTag", status: 400, message)
    error.members = [("TagKey", key)] + (value.map { [("TagValue", $0)] } ?? [])
    return error
  }

  static func invalidTargetBucket(_ message: String, _ bucket: String) -> AWSError {
    var error = AWSError("InvalidTargetBucketForLogging", status: 400, message)
    error.members = [("TargetBucket", bucket)]
    return error
  }

  static func invalidBucketState(_ message: String) -> AWSError {
    AWSError("InvalidBucketState", status: 409, message)
  }

  // MARK: - Policies and lists of who may do what

  static func malformedBucketPolicy(_ message: String) -> AWSError { AWSError("MalformedPolicy", status: 400, message) }

  static func noBucketPolicy(_ bucket: String) -> AWSError {
    noSetting("NoSuchBucketPolicy", "The bucket policy does not exist", bucket)
  }

  static func publicPolicyBlocked(_ bucket: String, _ identity: String) -> AWSError {
    AWSError(
      "AccessDenied", status: 403,
      "User: \(identity) is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::\(bucket)\" "
        + "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
  }

  static func noAccessLists() -> AWSError {
    AWSError("AccessControlListNotSupported", status: 400, "The bucket does not allow ACLs")
  }

  static func malformedACL() -> AWSError {
    AWSError(
      "MalformedACLError", status: 400,
      "The XML you provided was not well-formed or did not validate against our published schema")
  }

  static func unexpectedContent() -> AWSError {
    AWSError("UnexpectedContent", status: 400, "This request does not support content")
  }

  static func missingSecurityHeader() -> AWSError {
    AWSError("MissingSecurityHeader", status: 400, "Your request was missing a required header")
  }

  static func ownershipForbidsLists() -> AWSError {
    AWSError(
      "InvalidBucketAclWithObjectOwnership", status: 400,
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
  }

  static func publicListBlocked(_ bucket: String, _ identity: String, _ operation: String) -> AWSError {
    AWSError(
      "AccessDenied", status: 403,
      "User: \(identity) is not authorized to perform: s3:\(operation) on resource: \"arn:aws:s3:::\(bucket)\" because "
        + "public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.")
  }

  static func originForbidden(isEnabled: Bool) -> AWSError {
    AWSError(
      "AccessForbidden", status: 403,
      isEnabled
        ? "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method "
          + "/ Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS "
          + "spec."
        : "CORSResponse: CORS is not enabled for this bucket.")
  }

  // MARK: - Locks

  static func lockedByRetention() -> AWSError {
    AWSError("AccessDenied", status: 403, "Access Denied because object protected by object lock.")
  }

  static func lockedByHold() -> AWSError { lockedByRetention() }

  static func bucketHasNoLock() -> AWSError { .invalidRequest("Bucket is missing Object Lock Configuration") }

  static func objectHasNoLock() -> AWSError {
    AWSError(
      "NoSuchObjectLockConfiguration", status: 404,
      "The specified object does not have a ObjectLock configuration")
  }

  static func retainUntilThePast(_ date: String) -> AWSError {
    .invalidArgument(
      "The retain until date must be in the future!", name: "x-amz-object-lock-retain-until-date", value: date)
  }

  static func lockKeepsVersioning() -> AWSError {
    .invalidBucketState(
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
  }
}
