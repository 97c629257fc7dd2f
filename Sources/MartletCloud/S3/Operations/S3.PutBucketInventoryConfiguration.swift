// PutBucketInventoryConfiguration: a list of objects; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketInventoryConfiguration: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketInventoryConfiguration", .put, "/{Bucket}?inventory")
    static let setting = S3Setting.inventory
  }
}
