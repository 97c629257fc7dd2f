// DeleteBucketWebsite: the bucket is no site any more.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketWebsite.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteBucketWebsite: S3DeletesSetting {
    static let route = Route.rest("S3.DeleteBucketWebsite", .delete, "/{Bucket}?website", status: 204)
    static let setting = S3Setting.website
  }
}
