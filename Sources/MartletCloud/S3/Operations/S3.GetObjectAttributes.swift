// GetObjectAttributes: what is said of an object and of the parts that it came in, as far as it is asked for.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
import MartletCore
import MartletWire
import NIOHTTP1

extension S3 {
  enum GetObjectAttributes: Operation {
    static let route = Route.rest("S3.GetObjectAttributes", .get, "/{Bucket}/{Key+}?attributes")

    private static let known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]

    struct Input: Readable {
      let target: S3ObjectRequest
      let attributes: Set<String>
      /// Parts up to this one are not wanted.
      let after: Int
      let count: Int

      init(_ r: Reader) throws(AWSError) {
        target = try S3ObjectRequest(r)
        let names = r.request.headers[canonicalForm: "x-amz-object-attributes"].map(String.init)
        attributes = Set(names)
        guard !names.isEmpty, names.allSatisfy({ GetObjectAttributes.known.contains($0) }) else {
          throw .invalidArgument(
            "Invalid attribute name specified.", name: "x-amz-object-attributes", value: names.joined(separator: ","))
        }
        after = r.request.header("x-amz-part-number-marker").flatMap { Int($0) } ?? 0
        count = min(1000, r.request.header("x-amz-max-parts").flatMap { Int($0) } ?? 1000)
      }
    }

    struct Output: Writable {
      let object: S3Object
      let bucket: S3Bucket
      let input: Input

      func write(to w: inout Writer) {
        w.header("Last-Modified", object.modified.httpDate)
        w.header("x-amz-version-id", object.shownVersion(in: bucket))
        w.xml("GetObjectAttributesResponse") { xml in
          let wanted = input.attributes
          if wanted.contains("ETag") { xml.element("ETag", object.etag) }
          if wanted.contains("Checksum"), let checksum = object.checksum {
            xml.element("Checksum") { xml in
              xml.element("Checksum\(checksum.algorithm)", checksum.value)
              xml.element("ChecksumType", object.checksumType)
            }
          }
          if wanted.contains("ObjectParts"), !object.parts.isEmpty { xml.element("ObjectParts") { writeParts(&$0) } }
          if wanted.contains("StorageClass") { xml.element("StorageClass", object.storageClass) }
          if wanted.contains("ObjectSize") { xml.element("ObjectSize", String(object.size)) }
        }
      }

      private func writeParts(_ xml: inout XMLWriter) {
        xml.element("PartsCount", String(object.parts.count))
        // Single parts are told where each has a checksum of its own.
        guard let checksum = object.checksum, object.parts.allSatisfy({ $0.checksum != nil }) else { return }
        let rest = object.parts.filter { $0.number > input.after }
        let page = rest.prefix(max(0, input.count))
        xml.element("PartNumberMarker", String(input.after))
        xml.element("NextPartNumberMarker", String(page.last?.number ?? 0))
        xml.element("MaxParts", String(input.count))
        xml.element("IsTruncated", rest.count > page.count ? "true" : "false")
        for part in page {
          xml.element("Part") { xml in
            xml.element("PartNumber", String(part.number))
            xml.element("Size", String(part.size))
            if let value = part.checksum { xml.element("Checksum\(checksum.algorithm)", value) }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (object, bucket) = try await s3.find(
        input.target.bucket, input.target.key, version: input.target.version, call)
      return Output(object: object, bucket: bucket, input: input)
    }
  }
}
