// PutPublicAccessBlock: policies and lists for everybody are refused, or not.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
import MartletCore
import MartletWire

extension S3 {
  enum PutPublicAccessBlock: S3PutsSetting {
    static let route = Route.rest("S3.PutPublicAccessBlock", .put, "/{Bucket}?publicAccessBlock")
    static let setting = S3Setting.publicAccessBlock
    static let stage = OperationStage.executes
  }
}
