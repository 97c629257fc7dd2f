// DeleteObject: one version, or the newest by a marker. What is not there is deleted without a word.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
import MartletCore
import MartletWire

extension S3 {
  enum DeleteObject: Operation {
    static let route = Route.rest("S3.DeleteObject", .delete, "/{Bucket}/{Key+}", status: 204)

    struct Input: Readable {
      let bucket: String
      let request: S3Service.DeletionRequest

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        request = S3Service.DeletionRequest(
          key: try r.objectKey(), version: r.query("versionId"), ifMatch: r.request.header("If-Match"),
          bypassesGovernance: r.request.header("x-amz-bypass-governance-retention")?.lowercased() == "true")
        // Only buckets of another kind have these.
        for name in ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"] {
          if r.request.header(name) != nil { throw .headerNotImplemented(name) }
        }
      }
    }

    struct Output: Writable {
      let deletion: S3Service.Deletion

      func write(to w: inout Writer) {
        w.isTyped = false
        w.header("x-amz-version-id", deletion.version)
        if deletion.isMarker { w.header("x-amz-delete-marker", "true") }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      Output(deletion: try await s3.delete(input.bucket, input.request, call))
    }
  }
}
