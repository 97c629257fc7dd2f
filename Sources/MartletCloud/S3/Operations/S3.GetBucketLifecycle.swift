// GetBucketLifecycle: what is deleted by itself, as it was named before rules had filters.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycle.html
import MartletCore
import MartletWire

extension S3 {
  /// The same on the wire as the operation that followed it, and answered by that.
  enum GetBucketLifecycle: Operation {
    static let route = Route.rest("S3.GetBucketLifecycle", .get, "/{Bucket}?lifecycle")

    typealias Input = GetBucketLifecycleConfiguration.Input
    typealias Output = GetBucketLifecycleConfiguration.Output

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await GetBucketLifecycleConfiguration.answer(input, call, s3)
    }
  }
}
