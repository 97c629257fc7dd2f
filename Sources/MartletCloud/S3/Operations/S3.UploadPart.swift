// UploadPart: one part of an object; on disk before the answer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
import MartletCore
import MartletWire

extension S3 {
  enum UploadPart: Operation {
    static let route = Route.rest("S3.UploadPart", .put, "/{Bucket}/{Key+}?partNumber")

    struct Input: Readable {
      let bucket: String
      let key: String
      let upload: String
      let number: Int
      let body: S3Body

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        upload = r.query("uploadId") ?? ""
        number = try r.partNumber()
        body = S3Body(r.request)
        try S3Headers.check(r.request)
      }
    }

    struct Output: Writable {
      let part: S3Part

      func write(to w: inout Writer) {
        w.isTyped = false
        w.header("ETag", part.quotedETag)
        if let checksum = part.checksum {
          w.header("x-amz-checksum-\(checksum.algorithm.lowercased())", checksum.value)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let upload = try await s3.catalogue.read { session throws(Fault) in
        try session.upload(input.upload, input.bucket, input.key, call)
      }
      let (files, algorithm) = (s3.files, upload.checksumAlgorithm)
      let given = input.body.algorithms.first
      if let algorithm, given.map({ $0 != algorithm }) ?? upload.isComposite {
        throw .partChecksumMismatch(algorithm, given)
      }
      let draft = try await s3.blocking { () throws(AWSError) in
        try input.body.store(in: files, summing: algorithm)
      }
      return Output(
        part: try await s3.put(draft, number: input.number, upload: input.upload, input.bucket, input.key, call))
    }
  }
}
