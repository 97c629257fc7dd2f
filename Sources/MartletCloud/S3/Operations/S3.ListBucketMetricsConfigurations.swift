// ListBucketMetricsConfigurations: numbers about requests; none are collected.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketMetricsConfigurations.html
import MartletCore
import MartletWire

extension S3 {
  enum ListBucketMetricsConfigurations: S3ListsSettings {
    static let route = Route.rest("S3.ListBucketMetricsConfigurations", .get, "/{Bucket}?metrics")
    static let setting = S3Setting.metrics
  }
}
