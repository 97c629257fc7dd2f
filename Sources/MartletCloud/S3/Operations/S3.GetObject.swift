// GetObject: an object's bytes, or a part of them. Its face is in MartletWire/Calls, because Lambda calls it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
import MartletCore
import MartletWire

extension S3.GetObject: Operation {
  package static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
    let files = s3.files
    let (object, bucket, body) = try await s3.reading(
      input.bucket, input.key, version: input.version, call,
      check: { (object, bucket) throws(AWSError) in
        if input.isRegional, bucket.place.region != call.place.region {
          throw .bucketElsewhere(bucket.place.region.name)
        }
        if let limit = input.limit, object.size > limit.bytes { throw .s3TooLarge() }
        try input.conditions.check(object)
      },
      { object throws(Fault) in try files.open(object.file) })
    let range = try S3Headers.range(input.range, size: object.size)
    var output = Output(body: body, version: object.shownVersion(in: bucket), etag: object.quotedETag)
    output.range = range
    output.headers = object.shownHeaders(overridden: input.responseHeaders)
    if input.wantsChecksum, range == nil, let checksum = object.checksum {
      output.headers.append(("x-amz-checksum-\(checksum.algorithm.lowercased())", checksum.value))
      output.headers.append(("x-amz-checksum-type", object.checksumType))
    }
    return output
  }
}

extension S3Object {
  /// As answers show it: not at all where nobody ever asked for versions.
  func shownVersion(in bucket: S3Bucket) -> String? { bucket.versioning == .never ? nil : version }

  /// What is said of the object beside its tag and version.
  func shownHeaders(overridden: [(name: String, value: String)]) -> [(name: String, value: String)] {
    let names = Set(overridden.map(\.name))
    return [("Last-Modified", modified.httpDate)] + headers.filter { !names.contains($0.name) } + overridden
  }
}
