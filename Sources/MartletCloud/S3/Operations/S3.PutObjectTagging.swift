// PutObjectTagging: the tags of an object, in the place of those before.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html
import MartletCore
import MartletWire

extension S3 {
  enum PutObjectTagging: Operation {
    static let route = Route.rest("S3.PutObjectTagging", .put, "/{Bucket}/{Key+}?tagging")

    struct Input: Readable {
      let target: S3ObjectRequest
      let tags: S3Tags

      init(_ r: Reader) throws(AWSError) {
        target = try S3ObjectRequest(r)
        tags = S3Tags(try S3Schema.tagging.checked(try S3Body(r.request).element("Tagging")))
        if let refusal = tags.refusal(isObject: true) { throw refusal }
      }
    }

    typealias Output = S3VersionDone

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (object, bucket) = try await s3.change(input.target, call) { object, _, _ in
        object.tags = input.tags
        return .success(.taggingPut)
      }
      return Output(version: object.shownVersion(in: bucket))
    }
  }
}
