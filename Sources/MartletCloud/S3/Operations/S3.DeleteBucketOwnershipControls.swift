// DeleteBucketOwnershipControls: objects belong to who put them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketOwnershipControls: S3DeletesSetting {
    static let route = Route.rest(
      "S3.DeleteBucketOwnershipControls", .delete, "/{Bucket}?ownershipControls", status: 204)
    static let setting = S3Setting.ownershipControls
  }
}
