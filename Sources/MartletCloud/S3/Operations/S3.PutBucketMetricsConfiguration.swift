// PutBucketMetricsConfiguration: numbers about requests; none are collected.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketMetricsConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketMetricsConfiguration: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketMetricsConfiguration", .put, "/{Bucket}?metrics")
    static let setting = S3Setting.metrics
  }
}
