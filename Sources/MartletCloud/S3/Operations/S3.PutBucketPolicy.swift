// PutBucketPolicy: who may do what in a bucket, in the place of what was said before.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension S3 {
  enum PutBucketPolicy: Operation {
    static let route = Route.rest("S3.PutBucketPolicy", .put, "/{Bucket}?policy", status: 204)
    static let stage = OperationStage.stored

    typealias Input = S3SettingRequest
    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let text = String(buffer: try input.body.whole(limit: S3Document.limit))
      return try await s3.catalogue.write { session throws(Fault) in
        if case .failure(let error) = try session.ownBucket(input.bucket, call) { return .failure(error) }
        do throws(AWSError) {
          let policy = try S3BucketPolicy(text, bucket: input.bucket)
          let block = try? session.document(of: .publicAccessBlock, input.bucket)
          if policy.isPublic, block?["BlockPublicPolicy"] == "true" {
            throw .publicPolicyBlocked(input.bucket, call.identity.arn)
          }
        } catch {
          return .failure(error)
        }
        try session.keep(text, as: S3BucketPolicy.kind, of: input.bucket)
        return .success(S3Done())
      }
    }
  }
}
