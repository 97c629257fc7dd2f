// ListBucketAnalyticsConfigurations: a report about how often objects are used; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketAnalyticsConfigurations.html
import MartletCore
import MartletWire

extension S3 {
  enum ListBucketAnalyticsConfigurations: S3ListsSettings {
    static let route = Route.rest("S3.ListBucketAnalyticsConfigurations", .get, "/{Bucket}?analytics")
    static let setting = S3Setting.analytics
  }
}
