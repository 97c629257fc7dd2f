// GetBucketNotificationConfiguration: who is told of what happens in a bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketNotificationConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketNotificationConfiguration", .get, "/{Bucket}?notification")
    static let setting = S3Setting.notification
  }
}
