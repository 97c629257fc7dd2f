// GetObjectTagging: the tags of an object; none are no error.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
import MartletCore
import MartletWire

extension S3 {
  enum GetObjectTagging: Operation {
    static let route = Route.rest("S3.GetObjectTagging", .get, "/{Bucket}/{Key+}?tagging")

    typealias Input = S3ObjectRequest

    struct Output: Writable {
      let tags: S3Tags
      let version: String?

      func write(to w: inout Writer) {
        w.header("x-amz-version-id", version)
        w.xml(tags.document)
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (object, bucket) = try await s3.find(input.bucket, input.key, version: input.version, call)
      return Output(tags: object.tags, version: object.shownVersion(in: bucket))
    }
  }
}
