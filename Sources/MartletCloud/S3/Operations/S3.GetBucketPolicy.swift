// GetBucketPolicy: a bucket's policy, as it was given.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension S3 {
  enum GetBucketPolicy: Operation {
    static let route = Route.rest("S3.GetBucketPolicy", .get, "/{Bucket}?policy")

    typealias Input = S3SettingRequest

    struct Output: Writable {
      let policy: String

      func write(to w: inout Writer) { w.payload(ByteBuffer(string: policy)) }
    }

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      Output(policy: try await s3.policy(of: input.bucket, call))
    }
  }
}

extension S3Service {
  /// - Throws: `NoSuchBucketPolicy`.
  func policy(of bucket: String, _ call: Call) async throws(AWSError) -> String {
    try await catalogue.read { session throws(Fault) in
      if case .failure(let error) = try session.ownBucket(bucket, call) { return .failure(error) }
      return try session.text(of: S3BucketPolicy.kind, bucket).map { .success($0) } ?? .failure(.noBucketPolicy(bucket))
    }
  }
}
