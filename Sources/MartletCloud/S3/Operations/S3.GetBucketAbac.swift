// GetBucketAbac: whether tags of a bucket count when access is decided.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAbac.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketAbac: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketAbac", .get, "/{Bucket}?abac")
    static let setting = S3Setting.abac
  }
}
