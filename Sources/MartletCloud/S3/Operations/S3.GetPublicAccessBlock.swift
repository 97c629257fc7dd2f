// GetPublicAccessBlock: which policies and lists for everybody are refused.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html
import MartletCore
import MartletWire

extension S3 {
  enum GetPublicAccessBlock: S3GetsSetting {
    static let route = Route.rest("S3.GetPublicAccessBlock", .get, "/{Bucket}?publicAccessBlock")
    static let setting = S3Setting.publicAccessBlock
  }
}
