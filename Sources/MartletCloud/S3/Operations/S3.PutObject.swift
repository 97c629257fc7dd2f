// PutObject: an object, whole; on disk before the answer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import MartletCore
import MartletWire

extension S3 {
  enum PutObject: Operation {
    static let route = Route.rest("S3.PutObject", .put, "/{Bucket}/{Key+}")

    struct Input: Readable {
      let bucket: String
      let key: String
      let body: S3Body
      let headers: [(name: String, value: String)]
      let conditions: S3.Conditions

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        body = S3Body(r.request)
        headers = S3Headers.kept(r.request)
        conditions = S3.Conditions(r.request)
        try S3Headers.check(r.request)
      }
    }

    struct Output: Writable {
      let object: S3Object
      let bucket: S3Bucket

      func write(to w: inout Writer) {
        w.isTyped = false
        w.header("ETag", object.quotedETag)
        w.header("x-amz-version-id", object.shownVersion(in: bucket))
        w.writeChecksum(of: object)
        w.writeEncryption(of: object)
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      // Before the bytes are written: most mistakes are in the bucket's name.
      _ = try await s3.bucket(input.bucket, call)
      let files = s3.files
      var draft = try await s3.blocking { () throws(AWSError) in try input.body.store(in: files) }
      draft.headers = input.headers
      let (object, bucket) = try await s3.put(input.bucket, input.key, draft, call) {
        input.conditions.refusal(of: $0, key: input.key)
      }
      return Output(object: object, bucket: bucket)
    }
  }
}
