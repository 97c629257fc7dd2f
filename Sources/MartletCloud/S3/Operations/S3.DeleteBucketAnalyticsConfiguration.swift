// DeleteBucketAnalyticsConfiguration: a report about how often objects are used; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketAnalyticsConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketAnalyticsConfiguration: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketAnalyticsConfiguration", .delete, "/{Bucket}?analytics", status: 204)
    static let setting = S3Setting.analytics
  }
}
