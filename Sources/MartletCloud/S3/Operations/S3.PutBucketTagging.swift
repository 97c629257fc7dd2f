// PutBucketTagging: the tags of a bucket, in the place of those before.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketTagging: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketTagging", .put, "/{Bucket}?tagging", status: 204)
    static let setting = S3Setting.tagging
    static let stage = OperationStage.executes
  }
}
