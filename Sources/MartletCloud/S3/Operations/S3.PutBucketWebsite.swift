// PutBucketWebsite: how the bucket shall be served as a site; it is not.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html
import MartletCore
import MartletWire

extension S3 {
  enum PutBucketWebsite: S3PutsSetting {
    static let route = Route.rest("S3.PutBucketWebsite", .put, "/{Bucket}?website")
    static let setting = S3Setting.website
  }
}
