// PutBucketReplication: which objects shall be copied where; none are.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketReplication: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketReplication", .put, "/{Bucket}?replication")
    static let setting = S3Setting.replication
  }
}
