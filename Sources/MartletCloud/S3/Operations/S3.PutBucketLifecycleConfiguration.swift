// PutBucketLifecycleConfiguration: what is to be deleted by itself, and when.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum PutBucketLifecycleConfiguration: Operation {
    static let route = Route.rest("S3.PutBucketLifecycleConfiguration", .put, "/{Bucket}?lifecycle")

    struct Input: Readable {
      let request: S3SettingRequest
      /// From which size on objects change their storage class; none does here.
      let smallest: String

      init(_ r: Reader) throws(AWSError) {
        request = try S3SettingRequest(r)
        smallest = r.request.header(S3Lifecycle.smallestHeader) ?? S3Lifecycle.smallest[0]
        guard S3Lifecycle.smallest.contains(smallest) else {
          throw .invalidArgument(
            "Invalid TransitionDefaultMinimumObjectSize found", name: "TransitionDefaultMinimumObjectSize",
            value: smallest)
        }
      }
    }

    struct Output: Writable {
      let smallest: String

      func write(to w: inout Writer) {
        w.isTyped = false
        w.header(S3Lifecycle.smallestHeader, smallest)
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let smallest = input.smallest
      try await s3.put(.lifecycle, input.request, call) { session, bucket throws(Fault) in
        try session.keep(smallest, as: S3Lifecycle.smallestKind, of: bucket.name)
      }
      s3.sweep.arm()
      return Output(smallest: smallest)
    }
  }
}
