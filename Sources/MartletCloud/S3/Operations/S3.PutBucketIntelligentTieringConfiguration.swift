// PutBucketIntelligentTieringConfiguration: when objects shall move to archives; none do.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketIntelligentTieringConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketIntelligentTieringConfiguration: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketIntelligentTieringConfiguration", .put, "/{Bucket}?intelligent-tiering")
    static let setting = S3Setting.intelligentTiering
  }
}
