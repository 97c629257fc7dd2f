// GetObjectLegalHold: whether a version is kept from being deleted until somebody says otherwise.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
import MartletCore
import MartletWire

extension S3 {
  enum GetObjectLegalHold: Operation {
    static let route = Route.rest("S3.GetObjectLegalHold", .get, "/{Bucket}/{Key+}?legal-hold")

    typealias Input = S3ObjectRequest
    typealias Output = S3SettingDocument

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let lock = try await s3.lock(of: input, call)
      guard let isHeld = lock.isHeld else { throw .objectHasNoLock() }
      return Output(document: XMLElement("LegalHold", children: [XMLElement("Status", text: isHeld ? "ON" : "OFF")]))
    }
  }
}

extension S3Service {
  /// - Throws: `InvalidRequest` in a bucket without locks.
  func lock(of input: S3ObjectRequest, _ call: Call) async throws(AWSError) -> S3Lock {
    let (object, bucket) = try await find(input.bucket, input.key, version: input.version, call)
    let hasLocks = try await catalogue.read { session throws(Fault) -> Result<Bool, AWSError> in
      .success(try session.document(of: .objectLock, bucket.name) != nil)
    }
    guard hasLocks else { throw .bucketHasNoLock() }
    return object.lock
  }
}
