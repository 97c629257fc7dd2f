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
      let headers: [(name: String, value: String)]
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
        headers = S3Headers.kept(r.request)
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
        w.writeEncryption(of: object)
        w.xml("CopyObjectResult") { xml in
          xml.element("LastModified", object.modified.iso8601)
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
      let isSame = source.bucket == input.bucket && source.key == input.key && source.version == nil
      // Words of encryption and storage are changes, too.
      let changes = input.headers.filter {
        $0.name.hasPrefix("x-amz-server-side") || $0.name == "x-amz-storage-class" || $0.name.contains("website")
      }
      let files = s3.files
      let (object, from, file) = try await s3.reading(
        source.bucket, source.key, version: source.version, call,
        check: { (object, _) throws(AWSError) in
          try input.sourceConditions.checkCopied(object)
          if isSame, !input.replaces, changes.isEmpty { throw .copyOntoItself() }
        },
        { object throws(Fault) in try files.link(object.file) })
      var draft = S3Draft(size: object.size, etag: object.etag, file: file)
      let names = Set(changes.map(\.name))
      draft.headers = input.replaces ? input.headers : object.headers.filter { !names.contains($0.name) } + changes
      draft.checksum = object.checksum
      let (copy, bucket) = try await s3.put(input.bucket, input.key, draft, call) {
        input.conditions.refusal(of: $0, key: input.key)
      }
      return Output(object: copy, bucket: bucket, sourceVersion: object.shownVersion(in: from))
    }
  }
}
