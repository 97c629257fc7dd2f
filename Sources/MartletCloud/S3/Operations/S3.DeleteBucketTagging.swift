// DeleteBucketTagging: all tags of a bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketTagging.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketTagging: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketTagging", .delete, "/{Bucket}?tagging", status: 204)
    static let setting = S3Setting.tagging
  }
}
