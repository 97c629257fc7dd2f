// CreateMultipartUpload: begins an object that comes in parts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
import MartletCore
import MartletWire

extension S3 {
  enum CreateMultipartUpload: Operation {
    static let route = Route.rest("S3.CreateMultipartUpload", .post, "/{Bucket}/{Key+}?uploads")

    struct Input: Readable {
      let bucket: String
      let key: String
      let headers: [(name: String, value: String)]
      let algorithm: ChecksumAlgorithm?
      let type: String

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        headers = S3Headers.kept(r.request)
        algorithm = r.request.header("x-amz-checksum-algorithm").flatMap { ChecksumAlgorithm(rawValue: $0) }
        type = r.request.header("x-amz-checksum-type") ?? (algorithm == .crc64nvme ? "FULL_OBJECT" : "COMPOSITE")
        try S3Headers.check(r.request)
      }
    }

    struct Output: Writable {
      let upload: S3Upload

      func write(to w: inout Writer) {
        if let checksum = upload.object.checksum {
          w.header("x-amz-checksum-algorithm", checksum.algorithm)
          w.header("x-amz-checksum-type", checksum.value)
        }
        w.writeEncryption(of: upload.object)
        w.xml("InitiateMultipartUploadResult") { xml in
          xml.element("Bucket", upload.bucket)
          xml.element("Key", upload.key)
          xml.element("UploadId", upload.id)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let now = s3.world.now()
      var object = S3Object(key: input.key, modified: now)
      object.headers = input.headers
      object.checksum = input.algorithm.map { ($0.rawValue, input.type) }
      let upload = S3Upload(
        id: s3.newVersion() + s3.newVersion(), bucket: input.bucket, key: input.key, created: now, object: object)
      return try await s3.catalogue.write { session throws(Fault) -> Result<Output, AWSError> in
        if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
        try session.store(upload)
        return .success(Output(upload: upload))
      }
    }
  }
}
