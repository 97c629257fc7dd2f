// GetBucketAccelerateConfiguration: nothing if nobody ever asked for it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketAccelerateConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketAccelerateConfiguration", .get, "/{Bucket}?accelerate")
    static let setting = S3Setting.accelerate
  }
}
