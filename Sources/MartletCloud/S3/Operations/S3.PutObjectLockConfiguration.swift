// PutObjectLockConfiguration: how long versions of a bucket are kept from being deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum PutObjectLockConfiguration: S3PutsSetting {
    static let route = Route.rest("S3.PutObjectLockConfiguration", .put, "/{Bucket}?object-lock")
    static let setting = S3Setting.objectLock
    static let stage = OperationStage.executes
  }
}
