// PutBucketEncryption: how objects are marked that come without saying how they are encrypted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketEncryption: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketEncryption", .put, "/{Bucket}?encryption")
    static let setting = S3Setting.encryption
  }
}
