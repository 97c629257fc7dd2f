// UploadPartCopy: a part that is all or a range of another object.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
import MartletCore
import MartletWire

extension S3 {
  enum UploadPartCopy: Operation {
    static let route = Route.rest("S3.UploadPartCopy", .put, "/{Bucket}/{Key+}?partNumber")

    struct Input: Readable {
      let bucket: String
      let key: String
      let upload: String
      let number: Int
      let source: S3CopySource
      let range: String?
      let conditions: S3.Conditions

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        upload = r.query("uploadId") ?? ""
        number = try r.partNumber()
        source = try S3CopySource(r.request.header("x-amz-copy-source") ?? "")
        range = r.request.header("x-amz-copy-source-range")
        conditions = S3.Conditions(r.request, prefix: "x-amz-copy-source-")
        try S3Headers.check(r.request)
      }
    }

    struct Output: Writable {
      let part: S3Part
      let sourceVersion: String?

      func write(to w: inout Writer) {
        w.header("x-amz-copy-source-version-id", sourceVersion)
        w.xml("CopyPartResult") { xml in
          xml.element("LastModified", part.modified.iso8601)
          xml.element("ETag", part.quotedETag)
          if let checksum = part.checksum { xml.element("Checksum\(checksum.algorithm)", checksum.value) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let upload = try await s3.catalogue.read { session throws(Fault) in
        try session.upload(input.upload, input.bucket, input.key, call)
      }
      let source = input.source
      let (files, algorithm) = (s3.files, upload.checksumAlgorithm)
      let (object, from, file) = try await s3.readingSource(
        source, call, check: { object throws(AWSError) in try input.conditions.checkCopied(object) },
        { object throws(Fault) in try files.open(object.file) })
      let range = try range(input.range, of: object)
      guard range.count <= S3Service.largestUpload.bytes else { throw .copySourceTooLarge() }
      let draft = try await s3.blocking { () throws(AWSError) in try copy(file, range, algorithm, in: files) }
      let part = try await s3.put(
        draft, number: input.number, upload: input.upload, input.bucket, input.key, call)
      return Output(part: part, sourceVersion: object.shownVersion(in: from))
    }

    /// Unlike reads, copies take nothing but `bytes=first-last`, all of it within the source.
    private static func range(_ header: String?, of object: S3Object) throws(AWSError) -> Range<Int> {
      guard let header else { return 0..<object.size }
      let name = "x-amz-copy-source-range"
      let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard header.hasPrefix("bytes="), ends.count == 2, let first = ends[0], let last = ends[1], first >= 0,
        first <= last
      else {
        throw .invalidArgument(
          "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            + "zero-based offsets of the first and last bytes to copy", name: name, value: header)
      }
      guard last < object.size else {
        throw .invalidArgument(
          "Range specified is not valid for source object of size: \(object.size)", name: name, value: header)
      }
      return first..<(last + 1)
    }

    private static func copy(
      _ source: OpenFile, _ range: Range<Int>, _ algorithm: ChecksumAlgorithm?, in files: S3Files
    ) throws(AWSError) -> S3Draft {
      let md5 = DigestStream(.md5)
      let sum = algorithm.map { DigestStream($0) }
      let name = try files.create { append throws(AWSError) in
        do throws(Fault) {
          try source.forEachPiece(in: range) { bytes throws(Fault) in
            md5.append(bytes)
            sum?.append(bytes)
            try append(bytes)
          }
        } catch {
          throw .service("\(error)")
        }
      }
      var draft = S3Draft(size: range.count, etag: Digest.hex(md5.finish()), file: name)
      draft.checksum = sum.map { ($0.algorithm.rawValue, Base64.encode($0.finish())) }
      return draft
    }
  }
}
