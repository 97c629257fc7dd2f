// PutBucketOwnershipControls: whose the objects are that others put.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketOwnershipControls: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketOwnershipControls", .put, "/{Bucket}?ownershipControls")
    static let setting = S3Setting.ownershipControls
    static let stage = OperationStage.executes
  }
}
