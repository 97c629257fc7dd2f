// PutObjectAcl: who may do what with an object: kept and shown, if the bucket's ownership has lists at all.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
import MartletCore
import MartletWire

extension S3 {
  enum PutObjectAcl: Operation {
    static let route = Route.rest("S3.PutObjectAcl", .put, "/{Bucket}/{Key+}?acl")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let target: S3ObjectRequest
      let list: S3AccessList

      init(_ r: Reader) throws(AWSError) {
        target = try S3ObjectRequest(r)
        list = try S3AccessList(byBodyOf: r.request)
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      _ = try await s3.change(input.target, call) { object, bucket, session throws(Fault) in
        if let refusal = try input.list.refusal(in: bucket, session, call, operation: "PutObjectAcl") {
          return .failure(refusal)
        }
        object.accessList = input.list.policy(owner: bucket.place.account).document
        return .success(.accessListPut)
      }
      return Output()
    }
  }
}
