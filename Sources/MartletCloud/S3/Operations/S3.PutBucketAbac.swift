// PutBucketAbac: whether tags of a bucket count when access is decided.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketAbac: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketAbac", .put, "/{Bucket}?abac")
    static let setting = S3Setting.abac
  }
}
