// The face of S3's GetObject, which Lambda calls for code: an embedded bucket answers it, or a remote endpoint.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
import MartletCore
import NIOCore

/// The namespace of S3's operations.
package enum S3 {}

extension S3 {
  package enum GetObject: Shape {
    package static let route = Route.rest("S3.GetObject", .get, "/{Bucket}/{Key+}")

    package struct Input: Readable, Sendable {
      package let bucket: String
      package let key: String
      /// nil = the newest.
      package let version: String?
      /// The whole object otherwise.
      package var range: String?
      /// One of the parts that the object came in, or the first of an object that came whole.
      package var part: String?
      package var conditions = S3.Conditions()
      /// Headers of the answer as the caller wants them, such as `response-content-type`.
      package var responseHeaders: [(name: String, value: String)] = []
      package var wantsChecksum = false
      /// A caller inside the server wants no larger object: the answer is `EntityTooLarge`.
      package var limit: ByteCount?
      /// A caller inside the server wants the bucket to be in its own region: the answer is `PermanentRedirect`.
      package var isRegional = false

      package init(bucket: String, key: String, version: String? = nil) {
        self.bucket = bucket
        self.key = key
        self.version = version
      }

      package init(_ r: Reader) throws(AWSError) {
        self.init(bucket: r.path("Bucket"), key: r.path("Key"), version: r.query("versionId"))
        range = r.request.header("Range")
        part = r.query("partNumber")
        wantsChecksum = r.request.header("x-amz-checksum-mode")?.uppercased() == "ENABLED"
        conditions = S3.Conditions(r.request)
        for name in S3.responseHeaders {
          if let value = r.query("response-\(name.lowercased())") { responseHeaders.append((name, value)) }
        }
      }
    }

    package struct Output: Writable, Sendable {
      package let body: OpenFile
      /// The part of `body` that was asked for; nil = all of it.
      package var range: Range<Int>?
      package var version: String?
      /// With its quotes.
      package var etag: String
      /// What else is said of the object, such as its type.
      package var headers: [(name: String, value: String)] = []

      package init(body: OpenFile, version: String?, etag: String) {
        self.body = body
        self.version = version
        self.etag = etag
      }

      package func write(to w: inout Writer) {
        w.header("ETag", etag)
        w.header("x-amz-version-id", version)
        w.header("Accept-Ranges", "bytes")
        for header in headers { w.header(header.name, header.value) }
        if let range {
          w.status = 206
          w.header("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(body.size)")
        }
        w.payload(body, range: range ?? 0..<body.size)
      }
    }
  }

  /// Headers that a GET may set in its own answer.
  package static let responseHeaders = [
    "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
  ]

  /// The headers that make a request conditional.
  package struct Conditions: Sendable, Equatable {
    package var ifMatch: String?
    package var ifNoneMatch: String?
    package var ifModifiedSince: String?
    package var ifUnmodifiedSince: String?

    package init() {}

    package init(_ request: HTTPRequest, prefix: String = "") {
      ifMatch = request.header("\(prefix)If-Match")
      ifNoneMatch = request.header("\(prefix)If-None-Match")
      ifModifiedSince = request.header("\(prefix)If-Modified-Since")
      ifUnmodifiedSince = request.header("\(prefix)If-Unmodified-Since")
    }
  }
}
