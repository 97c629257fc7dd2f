// PutBucketRequestPayment: who pays for requests; nobody does here.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketRequestPayment: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketRequestPayment", .put, "/{Bucket}?requestPayment")
    static let setting = S3Setting.requestPayment
  }
}
