// DeleteBucketIntelligentTieringConfiguration: when objects shall move to archives; none do.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketIntelligentTieringConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketIntelligentTieringConfiguration: S3DeletesSetting {
    static let route = Route.rest(
      "S3.DeleteBucketIntelligentTieringConfiguration", .delete, "/{Bucket}?intelligent-tiering", status: 204)
    static let setting = S3Setting.intelligentTiering
  }
}
