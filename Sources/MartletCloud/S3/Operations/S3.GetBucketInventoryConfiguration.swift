// GetBucketInventoryConfiguration: a list of objects; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketInventoryConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketInventoryConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketInventoryConfiguration", .get, "/{Bucket}?inventory")
    static let setting = S3Setting.inventory
  }
}
