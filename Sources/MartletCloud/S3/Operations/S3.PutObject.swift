// PutObject: an object, whole; on disk before the answer. Its face is in MartletWire/Calls, because Lambda calls it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import MartletCore
import MartletWire

extension S3.PutObject: Operation {
  package static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
    try S3Headers.check(key: input.key)
    try S3Headers.check(input.request)
    // Before the bytes are written: most mistakes are in the bucket's name.
    _ = try await s3.bucket(input.bucket, call)
    var described = S3Draft()
    try S3Headers.describe(&described, by: input.request, at: s3.world.now())
    let (files, content) = (s3.files, S3Body(input.request))
    let draft = described.with(
      try await s3.blocking { () throws(AWSError) in try content.store(in: files, summing: .crc64nvme) })
    let (object, bucket) = try await s3.put(input.bucket, input.key, draft, call, as: .put) {
      input.conditions.refusal(of: $0, key: input.key)
    }
    return Output(headers: headers(of: object, in: bucket))
  }

  private static func headers(of object: S3Object, in bucket: S3Bucket) -> [(name: String, value: String)] {
    var headers = [(name: "ETag", value: object.quotedETag)]
    if let version = object.shownVersion(in: bucket) { headers.append(("x-amz-version-id", version)) }
    if let expiration = object.expiration { headers.append(("x-amz-expiration", expiration)) }
    if let checksum = object.checksum {
      headers.append(("x-amz-checksum-\(checksum.algorithm.lowercased())", checksum.value))
      headers.append(("x-amz-checksum-type", object.checksumType))
    }
    return headers + object.headers.filter { $0.name.hasPrefix("x-amz-server-side-encryption") }
  }
}
