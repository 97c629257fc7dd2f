// GetBucketIntelligentTieringConfiguration: when objects shall move to archives; none do.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketIntelligentTieringConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketIntelligentTieringConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketIntelligentTieringConfiguration", .get, "/{Bucket}?intelligent-tiering")
    static let setting = S3Setting.intelligentTiering
  }
}
