// PutBucketNotification: who is told of what happens, as it was named before functions could be.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotification.html
import MartletCore
import MartletWire

extension S3 {
  /// The same on the wire as the operation that followed it, and answered by that.
  enum PutBucketNotification: Operation {
    static let route = Route.rest("S3.PutBucketNotification", .put, "/{Bucket}?notification")

    typealias Input = PutBucketNotificationConfiguration.Input
    typealias Output = PutBucketNotificationConfiguration.Output

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await PutBucketNotificationConfiguration.answer(input, call, s3)
    }
  }
}
