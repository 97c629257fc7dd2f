// DeleteBucketInventoryConfiguration: a list of objects; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketInventoryConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketInventoryConfiguration: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketInventoryConfiguration", .delete, "/{Bucket}?inventory", status: 204)
    static let setting = S3Setting.inventory
  }
}
