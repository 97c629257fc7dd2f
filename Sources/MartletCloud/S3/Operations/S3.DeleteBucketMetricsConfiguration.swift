// DeleteBucketMetricsConfiguration: numbers about requests; none are collected.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketMetricsConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketMetricsConfiguration: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketMetricsConfiguration", .delete, "/{Bucket}?metrics", status: 204)
    static let setting = S3Setting.metrics
  }
}
