// GetBucketAnalyticsConfiguration: a report about how often objects are used; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAnalyticsConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketAnalyticsConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketAnalyticsConfiguration", .get, "/{Bucket}?analytics")
    static let setting = S3Setting.analytics
  }
}
