// GetBucketMetricsConfiguration: numbers about requests; none are collected.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketMetricsConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketMetricsConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketMetricsConfiguration", .get, "/{Bucket}?metrics")
    static let setting = S3Setting.metrics
  }
}
