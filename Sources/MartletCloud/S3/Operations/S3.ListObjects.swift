// ListObjects: the first of the two ways to list; pages are continued with a key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
import MartletCore
import MartletWire

extension S3 {
  enum ListObjects: Operation {
    static let route = Route.rest("S3.ListObjects", .get, "/{Bucket}")

    struct Input: Readable {
      let bucket: String
      let request: S3ListingRequest

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        var request = try S3ListingRequest(r)
        request.after = r.query("marker") ?? ""
        self.request = request
      }
    }

    struct Output: Writable {
      let bucket: S3Bucket
      let request: S3ListingRequest
      let listing: S3Listing

      func write(to w: inout Writer) {
        w.header("x-amz-bucket-region", bucket.place.region.name)
        w.xml("ListBucketResult") { xml in
          xml.element("Name", bucket.name)
          xml.element("Prefix", request.shown(request.prefix))
          xml.element("Marker", request.shown(request.after))
          // Without a delimiter the last key of the page is the marker.
          if listing.isTruncated, !request.delimiter.isEmpty {
            xml.element("NextMarker", request.shown(listing.last))
          }
          xml.element("MaxKeys", String(request.count))
          if !request.delimiter.isEmpty { xml.element("Delimiter", request.shown(request.delimiter)) }
          if request.isURLEncoded { xml.element("EncodingType", "url") }
          xml.element("IsTruncated", listing.isTruncated ? "true" : "false")
          listing.writeObjects(to: &xml, request, owner: bucket.place.account.canonicalID)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (bucket, listing) = try await s3.list(input.bucket, input.request, call)
      return Output(bucket: bucket, request: input.request, listing: listing)
    }
  }
}
