// ListBucketIntelligentTieringConfigurations: when objects shall move to archives; none do.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketIntelligentTieringConfigurations.html
import MartletCore
import MartletWire

extension S3 {
  enum ListBucketIntelligentTieringConfigurations: S3ListsSettings {
    static let route = Route.rest(
      "S3.ListBucketIntelligentTieringConfigurations", .get, "/{Bucket}?intelligent-tiering")
    static let setting = S3Setting.intelligentTiering
  }
}
