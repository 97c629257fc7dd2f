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
      let parts: [Part]
      let conditions: S3.Conditions
      /// Of the whole, as the client says them; in base64.
      let checksums: [(algorithm: ChecksumAlgorithm, value: String)]
      /// Of the whole, as the client says.
      let size: String?

      struct Part: Sendable {
        let number: Int
        let etag: String
        let checksums: [(algorithm: String, value: String)]
      }

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        upload = r.query("uploadId") ?? ""
        conditions = S3.Conditions(r.request)
        size = r.request.header("x-amz-mp-object-size")
        checksums = ChecksumAlgorithm.withHeader.compactMap { algorithm in
          r.request.header(algorithm.header).map { (algorithm, $0) }
        }
        guard let element = try S3Document.read(r, "CompleteMultipartUpload", sumsObject: true) else {
          throw .malformedXML()
        }
        var parts: [Part] = []
        for part in element.children("Part") {
          guard let number = part["PartNumber"].flatMap({ Int($0) }), let etag = part["ETag"] else {
            throw .malformedXML()
          }
          let sums = part.children.filter { $0.name.hasPrefix("Checksum") }
          parts.append(
            Part(
              number: number, etag: etag.filter { $0 != "\"" },
              checksums: sums.map { (String($0.name.dropFirst("Checksum".count)), $0.text) }))
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
        w.header("x-amz-expiration", object.expiration)
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
      let known = Dictionary(all.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
      for asked in input.parts {
        guard let part = known[asked.number], part.etag == asked.etag else { throw .invalidPart() }
        try check(asked, part, upload)
        parts.append(part)
      }
      let size = parts.reduce(0) { $0 + $1.size }
      if let given = input.size, Int(given) != size { throw .objectSizeMismatch(given, size) }
      guard parts.dropLast().allSatisfy({ $0.size >= S3Part.smallest }) else { throw .partTooSmall() }
      let (files, chosen) = (s3.files, parts)
      let draft = try await s3.blocking { () throws(AWSError) in
        try S3Service.join(chosen, of: upload, in: files)
      }
      if let sum = draft.checksum, let given = input.checksums.first(where: { $0.algorithm.rawValue == sum.algorithm }),
        given.value != sum.value, given.value != sum.value.split(separator: "-").first.map(String.init)
      {
        await s3.discard([draft.file])
        throw .badDigest(sum.algorithm)
      }
      // The upload ends in the transaction in which the object begins.
      let (object, bucket) = try await s3.put(
        input.bucket, input.key, draft, call, as: .completeMultipartUpload,
        check: { input.conditions.refusal(of: $0, key: input.key) },
        also: { session throws(Fault) in try session.deleteUpload(upload.id) })
      await s3.discard(all.map(\.file))
      return Output(object: object, bucket: bucket, host: call.host)
    }

    /// What the client says of a part must be what came.
    private static func check(_ asked: Input.Part, _ part: S3Part, _ upload: S3Upload) throws(AWSError) {
      guard let sum = part.checksum else { return }
      if let given = asked.checksums.first(where: { $0.algorithm == sum.algorithm }) {
        guard given.value == sum.value else { throw .invalidPart() }
      } else if upload.isComposite {
        throw .partChecksumMissing(sum.algorithm, part.number)
      }
    }
  }
}
