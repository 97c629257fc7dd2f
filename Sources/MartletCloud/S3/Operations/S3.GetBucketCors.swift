// GetBucketCors: the rules for requests from other origins.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketCors: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketCors", .get, "/{Bucket}?cors")
    static let setting = S3Setting.cors
  }
}
