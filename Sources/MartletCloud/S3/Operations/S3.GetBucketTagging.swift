// GetBucketTagging: the tags of a bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketTagging: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketTagging", .get, "/{Bucket}?tagging")
    static let setting = S3Setting.tagging
  }
}
