// ListBucketInventoryConfigurations: a list of objects; none is made.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketInventoryConfigurations.html
import MartletCore
import MartletWire

extension S3 {
  enum ListBucketInventoryConfigurations: S3ListsSettings {
    static let route = Route.rest("S3.ListBucketInventoryConfigurations", .get, "/{Bucket}?inventory")
    static let setting = S3Setting.inventory
  }
}
