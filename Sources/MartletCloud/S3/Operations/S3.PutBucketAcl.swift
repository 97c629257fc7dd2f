// PutBucketAcl: who may do what with a bucket: kept and shown, if the bucket's ownership has lists at all.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum PutBucketAcl: Operation {
    static let route = Route.rest("S3.PutBucketAcl", .put, "/{Bucket}?acl")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let bucket: String
      let list: S3AccessList

      init(_ r: Reader) throws(AWSError) {
        bucket = r.path("Bucket")
        list = try S3AccessList(byBodyOf: r.request)
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await s3.catalogue.write { session throws(Fault) in
        switch try session.ownBucket(input.bucket, call) {
        case .failure(let error): return .failure(error)
        case .success(let bucket):
          if let refusal = try input.list.refusal(in: bucket, session, call, operation: "PutBucketAcl") {
            return .failure(refusal)
          }
          let document = input.list.policy(owner: bucket.place.account).document
          try session.keep(document, as: S3AccessList.kind, of: bucket.name)
          return .success(S3Done())
        }
      }
    }
  }
}
