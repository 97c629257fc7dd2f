// What S3 says of requests that it refuses. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import MartletCore
import MartletWire

extension AWSError {
  static func bucketAlreadyExists(_ bucket: String) -> AWSError {
    var error = AWSError(
      "BucketAlreadyExists", status: 409,
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
        + "Please select a different name and try again.")
    error.members = [("BucketName", bucket)]
    return error
  }

  static func bucketAlreadyOwned(_ bucket: String) -> AWSError {
    var error = AWSError(
      "BucketAlreadyOwnedByYou", status: 409,
      "Your previous request to create the named bucket succeeded and you already own it.")
    error.members = [("BucketName", bucket)]
    return error
  }

  static func bucketNotEmpty(_ bucket: String) -> AWSError {
    var error = AWSError("BucketNotEmpty", status: 409, "The bucket you tried to delete is not empty")
    error.members = [("BucketName", bucket)]
    return error
  }

  static func invalidBucketName(_ bucket: String) -> AWSError {
    var error = AWSError("InvalidBucketName", status: 400, "The specified bucket is not valid.")
    error.members = [("BucketName", bucket)]
    return error
  }

  static func illegalLocation(_ location: String, here: Region) -> AWSError {
    if location.isEmpty {
      return AWSError(
        "IllegalLocationConstraintException", status: 400,
        "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
      )
    }
    return AWSError(
      "IllegalLocationConstraintException", status: 400,
      "The \(location) location constraint is incompatible for the region specific endpoint this request was sent to.")
  }

  static func invalidLocation(_ location: String) -> AWSError {
    var error = AWSError(
      "InvalidLocationConstraint", status: 400, "The specified location-constraint is not valid")
    error.members = [("LocationConstraint", location)]
    return error
  }

  static func keyTooLong(_ size: Int) -> AWSError {
    var error = AWSError("KeyTooLongError", status: 400, "Your key is too long")
    error.members = [("Size", String(size)), ("MaxSizeAllowed", "1024")]
    return error
  }

  /// The version that was asked for is a delete marker, which has no bytes.
  static func markerHasNoBytes(_ version: String) -> AWSError {
    var error = AWSError(
      "MethodNotAllowed", status: 405, "The specified method is not allowed against this resource.")
    error.members = [("Method", "GET"), ("ResourceType", "DeleteMarker")]
    error.headers = [("x-amz-delete-marker", "true"), ("x-amz-version-id", version), ("Allow", "DELETE")]
    return error
  }

  /// The newest version is a delete marker.
  static func deleted(_ key: String, _ version: String) -> AWSError {
    var error = AWSError.noSuchKey(key)
    error.headers = [("x-amz-delete-marker", "true"), ("x-amz-version-id", version)]
    return error
  }

  static func invalidRange(_ range: String, size: Int) -> AWSError {
    var error = AWSError("InvalidRange", status: 416, "The requested range is not satisfiable")
    error.members = [("RangeRequested", range), ("ActualObjectSize", String(size))]
    error.headers = [("Content-Range", "bytes */\(size)")]
    return error
  }

  static func invalidPartNumber(_ number: Int, of object: S3Object) -> AWSError {
    var error = AWSError("InvalidPartNumber", status: 416, "The requested partnumber is not satisfiable")
    error.members = [
      ("PartNumberRequested", String(number)), ("ActualPartCount", String(max(1, object.parts.count))),
    ]
    return error
  }

  static func notModified(_ etag: String) -> AWSError {
    var error = AWSError("NotModified", status: 304, "Not Modified")
    error.headers = [("ETag", etag)]
    return error
  }

  static func preconditionFailed(_ condition: String) -> AWSError {
    var error = AWSError(
      "PreconditionFailed", status: 412, "At least one of the pre-conditions you specified did not hold")
    error.members = [("Condition", condition)]
    return error
  }

  /// - Parameter name: of an algorithm, or of the older header.
  static func badDigest(_ name: String) -> AWSError {
    AWSError("BadDigest", status: 400, "The \(name) you specified did not match the calculated checksum.")
  }

  static func invalidChecksum(_ header: String, _ given: String) -> AWSError {
    var error = AWSError.invalidRequest("Value for \(header) header is invalid.")
    error.members = [(header, given)]
    return error
  }

  static func partChecksumMismatch(_ wanted: ChecksumAlgorithm, _ given: ChecksumAlgorithm?) -> AWSError {
    .invalidRequest(
      "Checksum Type mismatch occurred, expected checksum Type: \(wanted.rawValue.lowercased()), actual checksum Type: "
        + (given?.rawValue.lowercased() ?? "null"))
  }

  static func partChecksumMissing(_ algorithm: String, _ number: Int) -> AWSError {
    .invalidRequest(
      "The upload was created using a \(algorithm.lowercased()) checksum. The complete request must include the checksum "
        + "for each part. It was missing for part \(number) in the request.")
  }

  static func objectSizeMismatch(_ given: String, _ computed: Int) -> AWSError {
    .invalidRequest(
      "The provided 'x-amz-mp-object-size' header value \(given) does not match what was computed: \(computed)")
  }

  static func invalidDigest(_ given: String) -> AWSError {
    var error = AWSError("InvalidDigest", status: 400, "The Content-MD5 you specified was invalid.")
    error.members = [("Content-MD5", given)]
    return error
  }

  static func payloadDigestMismatch(given: String, computed: String) -> AWSError {
    var error = AWSError(
      "XAmzContentSHA256Mismatch", status: 400,
      "The provided 'x-amz-content-sha256' header does not match what was computed.")
    error.members = [("ClientComputedContentSHA256", given), ("S3ComputedContentSHA256", computed)]
    return error
  }

  static func incompleteBody() -> AWSError {
    AWSError(
      "IncompleteBody", status: 400,
      "You did not provide the number of bytes specified by the Content-Length HTTP header")
  }

  static func malformedTrailer() -> AWSError {
    AWSError(
      "MalformedTrailerError", status: 400,
      "The request contained trailing data that was not well-formed or did not conform to our published schema.")
  }

  static func invalidURI() -> AWSError {
    AWSError("InvalidURI", status: 400, "Couldn't parse the specified URI.")
  }

  static func metadataTooLarge(_ size: Int, limit: Int) -> AWSError {
    var error = AWSError(
      "MetadataTooLarge", status: 400, "Your metadata headers exceed the maximum allowed metadata size")
    error.members = [("Size", String(size)), ("MaxSizeAllowed", String(limit))]
    return error
  }

  static func bodyUnchecked() -> AWSError {
    .invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
  }

  static func malformedXML() -> AWSError {
    AWSError(
      "MalformedXML", status: 400,
      "The XML you provided was not well-formed or did not validate against our published schema")
  }

  static func invalidArgument(_ message: String, name: String, value: String) -> AWSError {
    var error = AWSError("InvalidArgument", status: 400, message)
    error.members = [("ArgumentName", name), ("ArgumentValue", value)]
    return error
  }

  static func invalidStorageClass() -> AWSError {
    AWSError("InvalidStorageClass", status: 400, "The storage class you specified is not valid")
  }

  static func invalidRequest(_ message: String) -> AWSError { AWSError("InvalidRequest", status: 400, message) }

  /// A header asks for something that is not built.
  static func headerNotImplemented(_ header: String) -> AWSError {
    var error = AWSError(
      "NotImplemented", status: 501, "A header you provided implies functionality that is not implemented")
    error.members = [("Header", header)]
    return error
  }

  static func methodNotAllowed(_ method: String) -> AWSError {
    var error = AWSError(
      "MethodNotAllowed", status: 405, "The specified method is not allowed against this resource.")
    error.members = [("Method", method)]
    return error
  }

  static func copyOntoItself() -> AWSError {
    .invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        + "metadata, storage class, website redirect location or encryption attributes.")
  }

  static func copyOfMarker() -> AWSError {
    .invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
  }

  static func copySourceTooLarge() -> AWSError {
    .invalidRequest(
      "The specified copy source is larger than the maximum allowable size for a copy source: "
        + "\(S3Service.largestUpload.bytes)")
  }

  static func noSuchUpload(_ id: String) -> AWSError {
    var error = AWSError(
      "NoSuchUpload", status: 404,
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        + "completed.")
    error.members = [("UploadId", id)]
    return error
  }

  static func invalidPart() -> AWSError {
    AWSError(
      "InvalidPart", status: 400,
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        + "entity tag may not match the part's entity tag.")
  }

  static func invalidPartOrder() -> AWSError {
    AWSError(
      "InvalidPartOrder", status: 400,
      "The list of parts was not in ascending order. Parts must be ordered by part number.")
  }

  static func partTooSmall() -> AWSError {
    AWSError(
      "EntityTooSmall", status: 400, "Your proposed upload is smaller than the minimum allowed size")
  }
}
