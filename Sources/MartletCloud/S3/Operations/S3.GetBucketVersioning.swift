// GetBucketVersioning: nothing if nobody ever asked for versions.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketVersioning: Operation {
    static let route = Route.rest("S3.GetBucketVersioning", .get, "/{Bucket}?versioning")

    struct Input: Readable {
      let bucket: String

      init(_ r: Reader) throws(AWSError) { bucket = r.path("Bucket") }
    }

    struct Output: Writable {
      let status: String

      func write(to w: inout Writer) {
        w.xml("VersioningConfiguration") { if !status.isEmpty { $0.element("Status", status) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      Output(status: try await s3.bucket(input.bucket, call).versioning.rawValue)
    }
  }
}
