// PutBucketAccelerateConfiguration: transfers by way of the nearest edge; there is none here.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAccelerateConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketAccelerateConfiguration: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketAccelerateConfiguration", .put, "/{Bucket}?accelerate")
    static let setting = S3Setting.accelerate
  }
}
