// GetBucketLogging: nothing if nobody asked for reports.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketLogging: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketLogging", .get, "/{Bucket}?logging")
    static let setting = S3Setting.logging
  }
}
