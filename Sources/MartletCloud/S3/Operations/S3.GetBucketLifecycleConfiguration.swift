// GetBucketLifecycleConfiguration: what is deleted by itself, and when.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum GetBucketLifecycleConfiguration: Operation {
    static let route = Route.rest("S3.GetBucketLifecycleConfiguration", .get, "/{Bucket}?lifecycle")

    typealias Input = S3SettingRequest

    struct Output: Writable {
      let document: XMLElement
      let smallest: String

      func write(to w: inout Writer) {
        w.header(S3Lifecycle.smallestHeader, smallest)
        w.xml(document)
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let document = try await s3.read(.lifecycle, input, call)
      let smallest = try await s3.catalogue.read { session throws(Fault) -> Result<String?, AWSError> in
        .success(try session.text(of: S3Lifecycle.smallestKind, input.bucket))
      }
      return Output(document: document, smallest: smallest ?? S3Lifecycle.smallest[0])
    }
  }
}
