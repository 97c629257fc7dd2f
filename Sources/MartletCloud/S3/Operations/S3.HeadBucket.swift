// HeadBucket: whether a bucket is there and the caller's, and where.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
import MartletCore
import MartletWire

extension S3 {
  enum HeadBucket: Operation {
    static let route = Route.rest("S3.HeadBucket", .head, "/{Bucket}")

    struct Input: Readable {
      let bucket: String

      init(_ r: Reader) throws(AWSError) { bucket = r.path("Bucket") }
    }

    struct Output: Writable {
      let region: Region

      func write(to w: inout Writer) {
        w.isTyped = false
        w.header("x-amz-bucket-region", region.name)
        w.header("x-amz-access-point-alias", "false")
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      Output(region: try await s3.bucket(input.bucket, call).place.region)
    }
  }
}
