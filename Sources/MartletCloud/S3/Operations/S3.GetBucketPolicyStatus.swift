// GetBucketPolicyStatus: whether a bucket's policy lets in everybody.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
import MartletCore
import MartletWire

extension S3 {
  enum GetBucketPolicyStatus: Operation {
    static let route = Route.rest("S3.GetBucketPolicyStatus", .get, "/{Bucket}?policyStatus")

    typealias Input = S3SettingRequest

    struct Output: Writable {
      let isPublic: Bool

      func write(to w: inout Writer) {
        w.xml("PolicyStatus") { $0.element("IsPublic", isPublic ? "true" : "false") }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let text = try await s3.policy(of: input.bucket, call)
      return Output(isPublic: try S3BucketPolicy(text, bucket: input.bucket).isPublic)
    }
  }
}
