// PutBucketAnalyticsConfiguration: a report about how often objects are used; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAnalyticsConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketAnalyticsConfiguration: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketAnalyticsConfiguration", .put, "/{Bucket}?analytics")
    static let setting = S3Setting.analytics
  }
}
