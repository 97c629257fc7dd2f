// DeleteBucketLifecycle: nothing expires any more.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketLifecycle: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketLifecycle", .delete, "/{Bucket}?lifecycle", status: 204)
    static let setting = S3Setting.lifecycle
  }
}
