// GetBucketAcl: who may do what with a bucket: its owner all, unless something else was put.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum GetBucketAcl: Operation {
    static let route = Route.rest("S3.GetBucketAcl", .get, "/{Bucket}?acl")

    typealias Input = S3SettingRequest
    typealias Output = S3SettingDocument

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await s3.catalogue.read { session throws(Fault) in
        switch try session.ownBucket(input.bucket, call) {
        case .failure(let error): return .failure(error)
        case .success(let bucket):
          let kept = try session.text(of: S3AccessList.kind, bucket.name).map { text throws(Fault) in
            try XMLElement(document: text)
          }
          return .success(Output(document: kept ?? S3AccessList().policy(owner: bucket.place.account)))
        }
      }
    }
  }
}
