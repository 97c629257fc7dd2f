// ListMultipartUploads: the uploads that are under way in a bucket, by key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum ListMultipartUploads: Operation {
    static let route = Route.rest("S3.ListMultipartUploads", .get, "/{Bucket}?uploads")

    struct Input: Readable {
      let bucket: String
      let prefix: String
      let keyMarker: String
      let idMarker: String
      let count: Int
      let isURLEncoded: Bool
      /// Empty = none.
      let delimiter: String

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        prefix = r.query("prefix") ?? ""
        keyMarker = r.query("key-marker") ?? ""
        idMarker = r.query("upload-id-marker") ?? ""
        count = try r.pageSize("max-uploads", "max-uploads", least: 1)
        isURLEncoded = try r.isURLEncoded()
        delimiter = r.query("delimiter") ?? ""
      }
    }

    struct Output: Writable {
      let input: Input
      let uploads: [S3Upload]
      /// Rolled up: prefixes that end in the delimiter.
      let prefixes: [String]
      let isTruncated: Bool
      /// Where the next page begins.
      let next: (key: String, id: String)
      let owner: String

      private func shown(_ key: String) -> String { input.isURLEncoded ? S3Event.encoded(key) : key }

      func write(to w: inout Writer) {
        w.xml("ListMultipartUploadsResult") { xml in
          xml.element("Bucket", input.bucket)
          xml.element("KeyMarker", shown(input.keyMarker))
          xml.element("UploadIdMarker", input.idMarker)
          if isTruncated {
            xml.element("NextKeyMarker", shown(next.key))
            xml.element("NextUploadIdMarker", next.id)
          }
          if !input.delimiter.isEmpty { xml.element("Delimiter", shown(input.delimiter)) }
          xml.element("Prefix", shown(input.prefix))
          xml.element("MaxUploads", String(input.count))
          if input.isURLEncoded { xml.element("EncodingType", "url") }
          xml.element("IsTruncated", isTruncated ? "true" : "false")
          for upload in uploads {
            xml.element("Upload") { xml in
              xml.element("Key", shown(upload.key))
              xml.element("UploadId", upload.id)
              xml.element("Initiator") { $0.element("ID", owner) }
              xml.element("Owner") { $0.element("ID", owner) }
              xml.element("StorageClass", upload.object.storageClass)
              xml.element("Initiated", upload.created.iso8601)
            }
          }
          for prefix in prefixes { xml.element("CommonPrefixes") { $0.element("Prefix", shown(prefix)) } }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await s3.catalogue.read { session throws(Fault) -> Result<Output, AWSError> in
        if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
        var rest = try session.uploads(
          "bucket = ? AND object >= ?", [.text(input.bucket), .text(input.keyMarker)]
        ).filter { $0.key.utf8.starts(with: input.prefix.utf8) }
        if !input.keyMarker.isEmpty {
          let marker = rest.firstIndex { $0.id == input.idMarker }
          rest = marker.map { Array(rest[($0 + 1)...]) } ?? rest.filter { input.keyMarker.isBefore($0.key) }
        }
        return .success(page(input, rest, owner: call.place.account.canonicalID))
      }
    }

    /// The first of those that are left, as many as fit; a prefix counts as one.
    private static func page(_ input: Input, _ rest: [S3Upload], owner: String) -> Output {
      var (uploads, prefixes): ([S3Upload], [String]) = ([], [])
      var next = (key: "", id: "")
      var isTruncated = false
      for upload in rest {
        let rolled = S3Listing.rolled(upload.key, prefix: input.prefix, delimiter: input.delimiter)
        // What a page before this one has rolled up goes on in it.
        if let rolled, rolled.isSame(as: prefixes.last ?? input.keyMarker) { continue }
        guard uploads.count + prefixes.count < input.count else {
          isTruncated = true
          break
        }
        if let rolled {
          prefixes.append(rolled)
          next = (rolled, "")
        } else {
          uploads.append(upload)
          next = (upload.key, upload.id)
        }
      }
      return Output(
        input: input, uploads: uploads, prefixes: prefixes, isTruncated: isTruncated, next: next, owner: owner)
    }
  }
}
