// The face of S3's PutObject, which Lambda calls to keep the records of events that were given up.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
import MartletCore
import NIOCore
import NIOHTTP1

extension S3 {
  package enum PutObject: Shape {
    package static let route = Route.rest("S3.PutObject", .put, "/{Bucket}/{Key+}")

    package struct Input: Readable, Sendable {
      package let bucket: String
      package let key: String
      /// The bytes, and the headers that say what they are.
      package let request: HTTPRequest
      package let conditions: S3.Conditions

      /// - Parameter type: the object's `Content-Type`.
      package init(bucket: String, key: String, body: ByteBuffer, type: String) {
        self.bucket = bucket
        self.key = key
        request = HTTPRequest(
          method: .PUT, uri: "/\(Percent.encode(bucket))/\(Percent.encodePath(key))",
          headers: ["Content-Type": type], body: body)
        conditions = S3.Conditions()
      }

      package init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        key = r.path("Key")
        request = r.request
        conditions = S3.Conditions(r.request)
      }
    }

    package struct Output: Writable, Sendable {
      /// The tag, the version, the checksum and the encryption.
      package let headers: [(name: String, value: String)]

      package init(headers: [(name: String, value: String)]) { self.headers = headers }

      package func write(to w: inout Writer) {
        w.isTyped = false
        for header in headers { w.header(header.name, header.value) }
      }
    }
  }
}
