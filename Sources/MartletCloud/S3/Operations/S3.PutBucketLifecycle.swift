// PutBucketLifecycle: what is to be deleted by itself, as it was named before rules had filters.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycle.html
import MartletCore
import MartletWire

extension S3 {
  /// The same on the wire as the operation that followed it, and answered by that.
  enum PutBucketLifecycle: Operation {
    static let route = Route.rest("S3.PutBucketLifecycle", .put, "/{Bucket}?lifecycle")

    typealias Input = PutBucketLifecycleConfiguration.Input
    typealias Output = PutBucketLifecycleConfiguration.Output

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await PutBucketLifecycleConfiguration.answer(input, call, s3)
    }
  }
}
