// PutObjectLegalHold: keeps a version from being deleted until somebody says otherwise.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum PutObjectLegalHold: Operation {
    static let route = Route.rest("S3.PutObjectLegalHold", .put, "/{Bucket}/{Key+}?legal-hold")

    struct Input: Readable {
      let target: S3ObjectRequest
      let isHeld: Bool

      init(_ r: Reader) throws(AWSError) {
        target = try S3ObjectRequest(r)
        let document = try S3Schema.legalHold.checked(try S3Body(r.request).element("LegalHold"))
        guard let status = document["Status"] else { throw .malformedXML() }
        isHeld = status == "ON"
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      _ = try await s3.change(input.target, call) { object, bucket, session throws(Fault) in
        guard try session.document(of: .objectLock, bucket.name) != nil else { return .failure(.bucketHasNoLock()) }
        object.lock.isHeld = input.isHeld
        return .success(nil)
      }
      return Output()
    }
  }
}
