// AbortMultipartUpload: forgets an upload and its parts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
import MartletCore
import MartletWire

extension S3 {
  enum AbortMultipartUpload: Operation {
    static let route = Route.rest("S3.AbortMultipartUpload", .delete, "/{Bucket}/{Key+}?uploadId", status: 204)

    struct Input: Readable {
      let bucket: String
      let key: String
      let upload: String

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        upload = r.query("uploadId") ?? ""
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let files = try await s3.catalogue.write { session throws(Fault) -> Result<[String], AWSError> in
        if case .failure(let error) = try session.upload(input.upload, input.bucket, input.key, call) {
          return .failure(error)
        }
        return .success(try session.deleteUpload(input.upload))
      }
      await s3.discard(files)
      return Output()
    }
  }
}
