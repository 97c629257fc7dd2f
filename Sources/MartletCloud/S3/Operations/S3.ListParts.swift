// ListParts: what has come of an upload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
import MartletCore
import MartletWire

extension S3 {
  enum ListParts: Operation {
    static let route = Route.rest("S3.ListParts", .get, "/{Bucket}/{Key+}?uploadId")

    struct Input: Readable {
      let bucket: String
      let key: String
      let upload: String
      let after: Int
      let count: Int

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = try r.objectKey()
        upload = r.query("uploadId") ?? ""
        after = r.queryInteger("part-number-marker", in: 0...Int(Int32.max)) ?? 0
        count = try r.pageSize("max-parts", "max-parts")
      }
    }

    struct Output: Writable {
      let upload: S3Upload
      let parts: [S3Part]
      let isTruncated: Bool
      let input: Input
      let owner: String

      func write(to w: inout Writer) {
        w.xml("ListPartsResult") { xml in
          xml.element("Bucket", upload.bucket)
          xml.element("Key", upload.key)
          xml.element("UploadId", upload.id)
          xml.element("Initiator") { $0.element("ID", owner) }
          xml.element("Owner") { $0.element("ID", owner) }
          xml.element("StorageClass", upload.object.storageClass)
          xml.element("PartNumberMarker", String(input.after))
          if let last = parts.last { xml.element("NextPartNumberMarker", String(last.number)) }
          xml.element("MaxParts", String(input.count))
          xml.element("IsTruncated", isTruncated ? "true" : "false")
          if let checksum = upload.object.checksum {
            xml.element("ChecksumAlgorithm", checksum.algorithm)
            xml.element("ChecksumType", checksum.value)
          }
          for part in parts {
            xml.element("Part") { xml in
              xml.element("PartNumber", String(part.number))
              xml.element("LastModified", part.modified.iso8601)
              xml.element("ETag", part.quotedETag)
              xml.element("Size", String(part.size))
              if let checksum = part.checksum { xml.element("Checksum\(checksum.algorithm)", checksum.value) }
            }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await s3.catalogue.read { session throws(Fault) -> Result<Output, AWSError> in
        switch try session.upload(input.upload, input.bucket, input.key, call) {
        case .failure(let error): return .failure(error)
        case .success(let upload):
          let rest = try session.parts(of: upload.id).filter { $0.number > input.after }
          return .success(
            Output(
              upload: upload, parts: Array(rest.prefix(input.count)), isTruncated: rest.count > input.count,
              input: input, owner: call.place.account.canonicalID))
        }
      }
    }
  }
}
