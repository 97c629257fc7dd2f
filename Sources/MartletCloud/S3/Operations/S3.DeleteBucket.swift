// DeleteBucket: only of a bucket without objects, versions, markers. Uploads that are under way end with it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucket: Operation {
    static let route = Route.rest("S3.DeleteBucket", .delete, "/{Bucket}", status: 204)

    struct Input: Readable {
      let bucket: String

      init(_ r: Reader) throws(AWSError) { bucket = r.path("Bucket") }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let files = try await s3.catalogue.write { session throws(Fault) -> Result<[String], AWSError> in
        if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
        if try session.hasVersions(input.bucket) { return .failure(.bucketNotEmpty(input.bucket)) }
        let files = try session.deleteUploads(of: input.bucket)
        try session.deleteBucket(input.bucket)
        return .success(files)
      }
      await s3.discard(files)
      return Output()
    }
  }
}
