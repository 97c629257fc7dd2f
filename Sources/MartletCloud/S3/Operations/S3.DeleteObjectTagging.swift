// DeleteObjectTagging: all tags of an object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteObjectTagging: Operation {
    static let route = Route.rest("S3.DeleteObjectTagging", .delete, "/{Bucket}/{Key+}?tagging", status: 204)

    typealias Input = S3ObjectRequest
    typealias Output = S3VersionDone

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (object, bucket) = try await s3.change(input, call) { object, _, _ in
        object.tags = S3Tags()
        return .success(.taggingDeleted)
      }
      return Output(version: object.shownVersion(in: bucket))
    }
  }
}
