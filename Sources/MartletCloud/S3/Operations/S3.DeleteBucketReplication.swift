// DeleteBucketReplication: no objects shall be copied any more.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketReplication.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketReplication: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketReplication", .delete, "/{Bucket}?replication", status: 204)
    static let setting = S3Setting.replication
  }
}
