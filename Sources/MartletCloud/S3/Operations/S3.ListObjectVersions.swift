// ListObjectVersions: every version and every marker, the newest of a key first.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
import MartletCore
import MartletWire

extension S3 {
  enum ListObjectVersions: Operation {
    static let route = Route.rest("S3.ListObjectVersions", .get, "/{Bucket}?versions")

    struct Input: Readable {
      let bucket: String
      let request: S3ListingRequest

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        var request = try S3ListingRequest(r)
        request.after = r.query("key-marker") ?? ""
        request.afterVersion = r.query("version-id-marker").flatMap { $0.isEmpty ? nil : $0 }
        request.hasVersions = true
        if request.after.isEmpty, let version = request.afterVersion {
          throw .invalidArgument(
            "A version-id marker cannot be specified without a key marker.", name: "version-id-marker", value: version)
        }
        self.request = request
      }
    }

    struct Output: Writable {
      let bucket: S3Bucket
      let request: S3ListingRequest
      let listing: S3Listing

      func write(to w: inout Writer) {
        w.xml("ListVersionsResult") { xml in
          xml.element("Name", bucket.name)
          xml.element("Prefix", request.shown(request.prefix))
          xml.element("KeyMarker", request.shown(request.after))
          xml.element("VersionIdMarker", request.afterVersion ?? "")
          if listing.isTruncated {
            xml.element("NextKeyMarker", request.shown(listing.last))
            if let version = listing.lastVersion { xml.element("NextVersionIdMarker", version) }
          }
          xml.element("MaxKeys", String(request.count))
          if !request.delimiter.isEmpty { xml.element("Delimiter", request.shown(request.delimiter)) }
          if request.isURLEncoded { xml.element("EncodingType", "url") }
          xml.element("IsTruncated", listing.isTruncated ? "true" : "false")
          for object in listing.objects { write(object, to: &xml) }
          listing.writePrefixes(to: &xml, request)
        }
      }

      private func write(_ object: S3Object, to xml: inout XMLWriter) {
        xml.element(object.isMarker ? "DeleteMarker" : "Version") { xml in
          xml.element("Key", request.shown(object.key))
          xml.element("VersionId", object.version)
          xml.element("IsLatest", object.isLatest ? "true" : "false")
          xml.element("LastModified", object.shownModified)
          if !object.isMarker {
            xml.element("ETag", object.quotedETag)
            xml.element("Size", String(object.size))
            xml.element("StorageClass", object.storageClass)
          }
          xml.element("Owner") { $0.element("ID", bucket.place.account.canonicalID) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (bucket, listing) = try await s3.list(input.bucket, input.request, call)
      return Output(bucket: bucket, request: input.request, listing: listing)
    }
  }
}
