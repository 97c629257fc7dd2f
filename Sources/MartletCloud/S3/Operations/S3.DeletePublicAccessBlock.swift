// DeletePublicAccessBlock: policies and lists for everybody are taken.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html
import MartletCore
import MartletWire

extension S3 {
  enum DeletePublicAccessBlock: S3DeletesSetting {
    static let route = Route.rest("S3.DeletePublicAccessBlock", .delete, "/{Bucket}?publicAccessBlock", status: 204)
    static let setting = S3Setting.publicAccessBlock
  }
}
