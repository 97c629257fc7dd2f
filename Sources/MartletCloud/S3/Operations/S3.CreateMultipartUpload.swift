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
      let request: HTTPRequest
      let algorithm: ChecksumAlgorithm?
      let type: String

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        request = r.request
        algorithm = try r.checksumAlgorithm()
        type = r.request.header("x-amz-checksum-type") ?? (algorithm == .crc64nvme ? "FULL_OBJECT" : "COMPOSITE")
        guard ["FULL_OBJECT", "COMPOSITE"].contains(type) else {
          throw .invalidRequest("Value for x-amz-checksum-type header is invalid.")
        }
        let isImpossible = type == "COMPOSITE" ? algorithm == .crc64nvme : algorithm == .sha1 || algorithm == .sha256
        if let algorithm, isImpossible {
          throw .invalidRequest(
            "The \(type) checksum type cannot be used with the \(algorithm.rawValue.lowercased()) checksum algorithm.")
        }
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
      var draft = S3Draft()
      try S3Headers.describe(&draft, by: input.request, at: now)
      let (access, lock) = (draft.access, draft.lock)
      var object = S3Object(key: input.key, modified: now)
      object.headers = draft.headers
      object.tags = draft.tags
      object.lock = draft.lock
      object.checksum = input.algorithm.map { ($0.rawValue, input.type) }
      let (id, begun) = (s3.newVersion() + s3.newVersion(), object)
      return try await s3.catalogue.write { session throws(Fault) -> Result<Output, AWSError> in
        let bucket: S3Bucket
        switch try session.ownBucket(input.bucket, call) {
        case .success(let found): bucket = found
        case .failure(let error): return .failure(error)
        }
        if let refusal = try access.refusal(in: bucket, session, call, operation: "PutObjectAcl") {
          return .failure(refusal)
        }
        if !lock.isEmpty, try session.document(of: .objectLock, bucket.name) == nil {
          return .failure(.bucketHasNoLock())
        }
        var object = begun
        if !object.headers.contains(where: { $0.name == "x-amz-server-side-encryption" }) {
          object.headers += S3Encryption.headers(try session.document(of: .encryption, bucket.name))
        }
        if !access.isEmpty { object.accessList = access.policy(owner: bucket.place.account).document }
        let upload = S3Upload(id: id, bucket: bucket.name, key: input.key, created: now, object: object)
        try session.store(upload)
        return .success(Output(upload: upload))
      }
    }
  }
}
