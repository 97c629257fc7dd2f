// ListObjectsV2: the second of the two ways to list; pages are continued with a token.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
import MartletCore
import MartletWire
import NIOCore

extension S3 {
  enum ListObjectsV2: Operation {
    static let route = Route.rest("S3.ListObjectsV2", .get, "/{Bucket}?list-type=2")

    struct Input: Readable {
      let bucket: String
      let token: String?
      let start: String?
      let hasOwner: Bool
      let request: S3ListingRequest

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        var request = try S3ListingRequest(r)
        start = r.query("start-after")
        token = r.query("continuation-token")
        hasOwner = r.query("fetch-owner") == "true"
        request.after = start ?? ""
        if let token {
          guard let after = Base64.decode(token), after.readableBytes > 0 else {
            throw .invalidArgument(
              "The continuation token provided is incorrect", name: "continuation-token", value: token)
          }
          request.after = String(buffer: after)
        }
        self.request = request
      }
    }

    struct Output: Writable {
      let bucket: S3Bucket
      let input: Input
      let listing: S3Listing

      func write(to w: inout Writer) {
        let request = input.request
        w.header("x-amz-bucket-region", bucket.place.region.name)
        w.xml("ListBucketResult") { xml in
          xml.element("Name", bucket.name)
          xml.element("Prefix", request.shown(request.prefix))
          if let start = input.start { xml.element("StartAfter", request.shown(start)) }
          if let token = input.token { xml.element("ContinuationToken", token) }
          if listing.isTruncated {
            xml.element("NextContinuationToken", Base64.encode(Array(listing.last.utf8)))
          }
          xml.element("KeyCount", String(listing.objects.count + listing.prefixes.count))
          xml.element("MaxKeys", String(request.count))
          if !request.delimiter.isEmpty { xml.element("Delimiter", request.shown(request.delimiter)) }
          if request.isURLEncoded { xml.element("EncodingType", "url") }
          xml.element("IsTruncated", listing.isTruncated ? "true" : "false")
          listing.writeObjects(
            to: &xml, request, owner: input.hasOwner ? bucket.place.account.canonicalID : nil)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (bucket, listing) = try await s3.list(input.bucket, input.request, call)
      return Output(bucket: bucket, input: input, listing: listing)
    }
  }
}
