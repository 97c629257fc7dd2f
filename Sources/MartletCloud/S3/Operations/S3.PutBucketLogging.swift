// PutBucketLogging: where reports of requests shall go; none are written.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketLogging: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketLogging", .put, "/{Bucket}?logging")
    static let setting = S3Setting.logging
  }
}
