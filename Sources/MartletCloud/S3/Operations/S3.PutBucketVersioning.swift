// PutBucketVersioning: from now on a new object is a version of its own, or replaces the one without a version.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketVersioning: Operation {
    static let route = Route.rest("S3.PutBucketVersioning", .put, "/{Bucket}?versioning")

    struct Input: Readable {
      let bucket: String
      let versioning: S3Bucket.Versioning

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        guard let element = try S3Document.read(r, "VersioningConfiguration"),
          let status = element["Status"], let versioning = S3Bucket.Versioning(rawValue: status), versioning != .never
        else { throw .malformedXML() }
        if element["MfaDelete"] == "Enabled" { throw .notImplemented("S3.PutBucketVersioning with MfaDelete") }
        self.versioning = versioning
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await s3.catalogue.write { session throws(Fault) in
        switch try session.ownBucket(input.bucket, call) {
        case .failure(let error): return .failure(error)
        case .success(var bucket):
          if input.versioning == .suspended, try session.document(of: .objectLock, bucket.name) != nil {
            return .failure(.lockKeepsVersioning())
          }
          bucket.versioning = input.versioning
          try session.store(bucket)
          return .success(Output())
        }
      }
    }
  }
}
