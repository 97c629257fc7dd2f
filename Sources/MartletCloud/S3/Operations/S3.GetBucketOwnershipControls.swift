// GetBucketOwnershipControls: whose the objects are that others put.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketOwnershipControls: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketOwnershipControls", .get, "/{Bucket}?ownershipControls")
    static let setting = S3Setting.ownershipControls
  }
}
