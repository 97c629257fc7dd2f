// GetObjectAcl: who may do what with an object: its owner all, unless something else was put.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
import MartletCore
import MartletWire

extension S3 {
  enum GetObjectAcl: Operation {
    static let route = Route.rest("S3.GetObjectAcl", .get, "/{Bucket}/{Key+}?acl")

    typealias Input = S3ObjectRequest
    typealias Output = S3SettingDocument

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let (object, bucket) = try await s3.find(input.bucket, input.key, version: input.version, call)
      guard let kept = object.accessList else {
        return Output(document: S3AccessList().policy(owner: bucket.place.account))
      }
      do throws(Fault) {
        return Output(document: try XMLElement(document: kept))
      } catch {
        throw .service("\(error)")
      }
    }
  }
}
