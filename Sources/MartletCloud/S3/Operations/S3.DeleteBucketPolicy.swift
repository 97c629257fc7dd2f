// DeleteBucketPolicy: what is not there is deleted without a word.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum DeleteBucketPolicy: Operation {
    static let route = Route.rest("S3.DeleteBucketPolicy", .delete, "/{Bucket}?policy", status: 204)

    typealias Input = S3SettingRequest
    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await s3.catalogue.write { session throws(Fault) in
        if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
        try session.forget(S3BucketPolicy.kind, of: input.bucket)
        return .success(S3Done())
      }
    }
  }
}
