// GetBucketLocation: a bucket's region; nothing for the oldest one.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketLocation: Operation {
    static let route = Route.rest("S3.GetBucketLocation", .get, "/{Bucket}?location")

    struct Input: Readable {
      let bucket: String

      init(_ r: Reader) throws(AWSError) { bucket = r.path("Bucket") }
    }

    struct Output: Writable {
      let location: String

      func write(to w: inout Writer) { w.xmlText("LocationConstraint", location) }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      Output(location: try await s3.bucket(input.bucket, call).location)
    }
  }
}
