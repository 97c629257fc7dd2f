// GetObjectLockConfiguration: how long versions of a bucket are kept from being deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html
import MartletCore
import MartletWire

extension S3 {
  enum GetObjectLockConfiguration: S3GetsSetting {
    static let route = Route.rest("S3.GetObjectLockConfiguration", .get, "/{Bucket}?object-lock")
    static let setting = S3Setting.objectLock
  }
}
