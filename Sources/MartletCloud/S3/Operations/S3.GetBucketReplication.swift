// GetBucketReplication: which objects shall be copied where.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketReplication: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketReplication", .get, "/{Bucket}?replication")
    static let setting = S3Setting.replication
  }
}
