// GetBucketEncryption: S3's own keys, unless something else was asked for.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketEncryption: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketEncryption", .get, "/{Bucket}?encryption")
    static let setting = S3Setting.encryption
  }
}
