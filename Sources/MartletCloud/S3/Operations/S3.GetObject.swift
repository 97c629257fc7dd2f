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
    let range = try S3.GetObject.range(input, of: object)
    var output = Output(body: body, version: object.shownVersion(in: bucket), etag: object.quotedETag)
    output.range = range
    output.headers = object.shownHeaders(overridden: input.responseHeaders)
    if input.part != nil, !object.parts.isEmpty {
      output.headers.append(("x-amz-mp-parts-count", String(object.parts.count)))
    }
    if input.wantsChecksum, let (algorithm, value) = checksum(input, of: object) {
      output.headers.append(("x-amz-checksum-\(algorithm.lowercased())", value))
      output.headers.append(("x-amz-checksum-type", object.checksumType))
    }
    return output
  }

  /// The checksum of what is sent: of the whole, or of the part that is asked for; nil = nobody made one.
  private static func checksum(_ input: Input, of object: S3Object) -> (algorithm: String, value: String)? {
    guard input.range == nil, let checksum = object.checksum else { return nil }
    guard let part = input.part, !object.parts.isEmpty else { return checksum }
    guard let number = Int(part), object.parts.indices.contains(number - 1),
      let value = object.parts[number - 1].checksum
    else { return nil }
    return (checksum.algorithm, value)
  }

  /// The bytes that a request wants; nil = all.
  private static func range(_ input: Input, of object: S3Object) throws(AWSError) -> Range<Int>? {
    guard let part = input.part else { return try S3Headers.range(input.range, size: object.size) }
    guard input.range == nil else {
      throw .invalidRequest("Cannot specify both Range header and partNumber query parameter")
    }
    guard let number = Int(part), S3Part.numbers.contains(number) else {
      throw .invalidArgument(
        "Part number must be an integer between 1 and 10000, inclusive", name: "partNumber", value: part)
    }
    guard number <= max(1, object.parts.count) else { throw .invalidPartNumber(number, of: object) }
    // Parts are counted as they lie, whatever their numbers were.
    guard !object.parts.isEmpty else { return object.size > 0 ? 0..<object.size : nil }
    let start = object.parts.prefix(number - 1).reduce(0) { $0 + $1.size }
    return start..<(start + object.parts[number - 1].size)
  }
}

extension S3Object {
  /// As answers show it: not at all where nobody ever asked for versions.
  func shownVersion(in bucket: S3Bucket) -> String? { bucket.versioning == .never ? nil : version }

  /// What is said of the object beside its tag and version.
  func shownHeaders(overridden: [(name: String, value: String)]) -> [(name: String, value: String)] {
    let names = Set(overridden.map(\.name))
    let count = tags.all.isEmpty ? [] : [(name: "x-amz-tagging-count", value: String(tags.all.count))]
    return [("Last-Modified", modified.httpDate)] + headers.filter { !names.contains($0.name) } + overridden + count
      + lock.headers + (expiration.map { [("x-amz-expiration", $0)] } ?? [])
  }
}
