// GetBucketRequestPayment: the owner, unless something else was asked for.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketRequestPayment: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketRequestPayment", .get, "/{Bucket}?requestPayment")
    static let setting = S3Setting.requestPayment
  }
}
