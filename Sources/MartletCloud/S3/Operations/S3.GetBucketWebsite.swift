// GetBucketWebsite: how the bucket shall be served as a site.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketWebsite.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketWebsite: S3GetsSetting {
    static let route = Route.rest("S3.GetBucketWebsite", .get, "/{Bucket}?website")
    static let setting = S3Setting.website
  }
}
