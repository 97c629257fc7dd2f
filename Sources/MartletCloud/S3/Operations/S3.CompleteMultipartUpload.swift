// CompleteMultipartUpload: the parts that are named become one object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
import MartletCore
import MartletWire

extension S3 {
  enum CompleteMultipartUpload: Operation {
    static let route = Route.rest("S3.CompleteMultipartUpload", .post, "/{Bucket}/{Key+}?uploadId")

    struct Input: Readable {
      let bucket: String
      let key: String
      let upload: String
      let parts: [(number: Int, etag: String)]
      let conditions: S3.Conditions

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        upload = r.query("uploadId") ?? ""
        conditions = S3.Conditions(r.request)
        guard let element = try S3Document.read(r, "CompleteMultipartUpload") else { throw .malformedXML() }
        var parts: [(number: Int, etag: String)] = []
        for part in element.children("Part") {
          guard let number = part["PartNumber"].flatMap({ Int($0) }), let etag = part["ETag"] else {
            throw .malformedXML()
          }
          parts.append((number, etag.filter { $0 != "\"" }))
        }
        guard !parts.isEmpty else { throw .malformedXML() }
        guard zip(parts, parts.dropFirst()).allSatisfy({ $0.number < $1.number }) else { throw .invalidPartOrder() }
        self.parts = parts
      }
    }

    struct Output: Writable {
      let object: S3Object
      let bucket: S3Bucket
      let host: String

      func write(to w: inout Writer) {
        w.header("x-amz-version-id", object.shownVersion(in: bucket))
        w.writeEncryption(of: object)
        w.xml("CompleteMultipartUploadResult") { xml in
          xml.element("Location", "http://\(host)/\(bucket.name)/\(Percent.encodePath(object.key))")
          xml.element("Bucket", bucket.name)
          xml.element("Key", object.key)
          xml.element("ETag", object.quotedETag)
          if let checksum = object.checksum {
            xml.element("Checksum\(checksum.algorithm)", checksum.value)
            xml.element("ChecksumType", object.checksumType)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (upload, all) = try await s3.catalogue.read {
        session throws(Fault) -> Result<(S3Upload, [S3Part]), AWSError> in
        switch try session.upload(input.upload, input.bucket, input.key, call) {
        case .failure(let error): return .failure(error)
        case .success(let upload): return .success((upload, try session.parts(of: upload.id)))
        }
      }
      var parts: [S3Part] = []
      for (number, etag) in input.parts {
        guard let part = all.first(where: { $0.number == number }), part.etag == etag else { throw .invalidPart() }
        parts.append(part)
      }
      guard parts.dropLast().allSatisfy({ $0.size >= S3Part.smallest }) else { throw .partTooSmall() }
      let (files, chosen) = (s3.files, parts)
      let draft = try await s3.blocking { () throws(AWSError) in
        try S3Service.join(chosen, of: upload, in: files)
      }
      // The upload ends in the transaction in which the object begins.
      let (object, bucket) = try await s3.put(
        input.bucket, input.key, draft, call, as: .completeMultipartUpload,
        check: { input.conditions.refusal(of: $0, key: input.key) },
        also: { session throws(Fault) in try session.deleteUpload(upload.id) })
      for part in all { files.remove(part.file) }
      return Output(object: object, bucket: bucket, host: call.host)
    }
  }
}
