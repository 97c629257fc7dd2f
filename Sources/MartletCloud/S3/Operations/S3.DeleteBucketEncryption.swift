// DeleteBucketEncryption: back to S3's own keys.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketEncryption: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketEncryption", .delete, "/{Bucket}?encryption", status: 204)
    static let setting = S3Setting.encryption
  }
}
