// DeleteBucketCors: pages of other origins get nothing any more.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketCors: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketCors", .delete, "/{Bucket}?cors", status: 204)
    static let setting = S3Setting.cors
  }
}
