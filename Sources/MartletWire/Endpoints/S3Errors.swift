// What S3 says of its own calls, where more than one box says it, and what is said when a remote endpoint is not there.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import MartletCore

extension AWSError {
  package static func noSuchBucket(_ bucket: String) -> AWSError {
    var error = AWSError("NoSuchBucket", status: 404, "The specified bucket does not exist")
    error.members = [("BucketName", bucket)]
    return error
  }

  package static func noSuchKey(_ key: String) -> AWSError {
    var error = AWSError("NoSuchKey", status: 404, "The specified key does not exist.")
    error.members = [("Key", key)]
    return error
  }

  package static func noSuchVersion(_ key: String, _ version: String) -> AWSError {
    var error = AWSError("NoSuchVersion", status: 404, "The specified version does not exist.")
    error.members = [("Key", key), ("VersionId", version)]
    return error
  }

  package static func s3AccessDenied() -> AWSError { AWSError("AccessDenied", status: 403, "Access Denied") }

  package static func bucketElsewhere(_ region: String) -> AWSError {
    AWSError(
      "PermanentRedirect", status: 301,
      "The bucket is in this region: \(region). Please use this region to retry the request")
  }

  /// A caller inside the server wanted no object of that size.
  package static func s3TooLarge() -> AWSError {
    AWSError("EntityTooLarge", status: 400, "Your proposed upload exceeds the maximum allowed size")
  }

  /// Names the flag, because only whoever started the server can mend it.
  static func endpointUnreachable(_ endpoint: RemoteEndpoint, _ reason: String) -> AWSError {
    let service = endpoint.service
    return AWSError(
      "ServiceException", status: 500,
      "The remote endpoint for \(service), \(endpoint.address), could not be used: \(reason). "
        + "Martlet was started with --endpoint \(service)=\(endpoint.address) "
        + "or \(RemoteEndpoint.variable(service)).", type: "Service", messageKey: .upper)
  }
}
