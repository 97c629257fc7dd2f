// PutBucketCors: which pages of other origins may use the bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketCors: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketCors", .put, "/{Bucket}?cors")
    static let setting = S3Setting.cors
    static let stage = OperationStage.executes
  }
}
