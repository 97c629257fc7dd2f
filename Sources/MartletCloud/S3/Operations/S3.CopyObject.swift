// CopyObject: an object from another place of the same server. The bytes are not copied: they never change.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
import MartletCore
import MartletWire

extension S3 {
  enum CopyObject: Operation {
    static let route = Route.rest("S3.CopyObject", .put, "/{Bucket}/{Key+}")

    struct Input: Readable {
      let bucket: String
      let key: String
      let source: S3CopySource
      let replaces: Bool
      let replacesTags: Bool
      let request: HTTPRequest
      /// nil = the source's.
      let algorithm: ChecksumAlgorithm?
      let conditions: S3.Conditions
      let sourceConditions: S3.Conditions

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        source = try S3CopySource(r.request.header("x-amz-copy-source") ?? "")
        let directive = r.request.header("x-amz-metadata-directive") ?? "COPY"
        guard ["COPY", "REPLACE"].contains(directive) else {
          throw .invalidArgument("Unknown metadata directive.", name: "x-amz-metadata-directive", value: directive)
        }
        replaces = directive == "REPLACE"
        let tagging = r.request.header("x-amz-tagging-directive") ?? "COPY"
        guard ["COPY", "REPLACE"].contains(tagging) else {
          throw .invalidArgument("Unknown tagging directive.", name: "x-amz-tagging-directive", value: tagging)
        }
        replacesTags = tagging == "REPLACE"
        request = r.request
        algorithm = try r.checksumAlgorithm()
        conditions = S3.Conditions(r.request)
        sourceConditions = S3.Conditions(r.request, prefix: "x-amz-copy-source-")
        try S3Headers.check(r.request)
      }
    }

    struct Output: Writable {
      let object: S3Object
      let bucket: S3Bucket
      let sourceVersion: String?

      func write(to w: inout Writer) {
        w.header("x-amz-version-id", object.shownVersion(in: bucket))
        w.header("x-amz-copy-source-version-id", sourceVersion)
        w.header("x-amz-expiration", object.expiration)
        w.writeEncryption(of: object)
        w.xml("CopyObjectResult") { xml in
          xml.element("LastModified", object.shownModified)
          xml.element("ETag", object.quotedETag)
          if let checksum = object.checksum {
            xml.element("Checksum\(checksum.algorithm)", checksum.value)
            xml.element("ChecksumType", object.checksumType)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let source = input.source
      let isSame = source.bucket == input.bucket && source.key.isSame(as: input.key) && source.version == nil
      var described = S3Draft()
      try S3Headers.describe(&described, by: input.request, at: s3.world.now())
      // Words of encryption and storage are changes, too.
      let changes = described.headers.filter {
        $0.name.hasPrefix("x-amz-server-side") || $0.name == "x-amz-storage-class" || $0.name.contains("website")
      }
      let files = s3.files
      let (object, from, file) = try await s3.readingSource(
        source, call,
        check: { object throws(AWSError) in
          try input.sourceConditions.checkCopied(object)
          if isSame, !input.replaces, changes.isEmpty { throw .copyOntoItself() }
          guard object.size <= S3Service.largestUpload.bytes else { throw .copySourceTooLarge() }
        },
        { object throws(Fault) in try files.link(object.file) })
      var draft = described
      (draft.size, draft.file) = (object.size, file)
      let names = Set(changes.map(\.name))
      if !input.replaces {
        // How the source was encrypted says nothing of the copy.
        draft.headers =
          object.headers.filter { !names.contains($0.name) && !$0.name.hasPrefix("x-amz-server-side") } + changes
      }
      if !input.replacesTags { draft.tags = object.tags }
      let kept = object.checksum.flatMap { ChecksumAlgorithm(rawValue: $0.algorithm) }
      let wanted = input.algorithm ?? kept ?? .crc64nvme
      let bytes = try await s3.blocking { () throws(AWSError) in try summed(object, file, wanted, in: files) }
      (draft.etag, draft.checksum) = (bytes.etag, bytes.checksum)
      let (copy, bucket) = try await s3.put(input.bucket, input.key, draft, call, as: .copy) {
        input.conditions.refusal(of: $0, key: input.key)
      }
      return Output(object: copy, bucket: bucket, sourceVersion: object.shownVersion(in: from))
    }

    /// The tag and the checksum of a copy, which comes whole even if its source came in parts. Blocks.
    private static func summed(
      _ object: S3Object, _ file: String, _ algorithm: ChecksumAlgorithm, in files: S3Files
    ) throws(AWSError) -> S3Draft {
      var draft = S3Draft(etag: object.etag, checksum: object.checksum)
      let isSame = object.parts.isEmpty && !object.etag.contains("-")
      if isSame, object.checksum?.algorithm == algorithm.rawValue { return draft }
      let (tag, sum) = (DigestStream(.md5), DigestStream(algorithm))
      do throws(Fault) {
        try files.open(file).forEachPiece { bytes throws(Fault) in
          tag.append(bytes)
          sum.append(bytes)
        }
      } catch {
        files.remove(file)
        throw .service("\(error)")
      }
      draft.etag = Digest.hex(tag.finish())
      draft.checksum = (algorithm.rawValue, Base64.encode(sum.finish()))
      return draft
    }
  }
}
