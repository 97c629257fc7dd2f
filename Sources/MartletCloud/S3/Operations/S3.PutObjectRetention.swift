// PutObjectRetention: keeps a version from being deleted until a date.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum PutObjectRetention: Operation {
    static let route = Route.rest("S3.PutObjectRetention", .put, "/{Bucket}/{Key+}?retention")

    struct Input: Readable {
      let target: S3ObjectRequest
      let lock: S3Lock
      let bypasses: Bool

      init(_ r: Reader) throws(AWSError) {
        target = try S3ObjectRequest(r)
        bypasses = r.request.header("x-amz-bypass-governance-retention")?.lowercased() == "true"
        let document = try S3Schema.retention.checked(try S3Body(r.request).element("Retention"))
        if document.child("EventHold") != nil || document.child("EventHoldDuration") != nil {
          throw .notImplemented("S3.PutObjectRetention with EventHold")
        }
        guard (document["Mode"] == nil) == (document["RetainUntilDate"] == nil) else { throw .malformedXML() }
        var lock = S3Lock()
        lock.mode = document["Mode"].flatMap { S3Lock.Mode(rawValue: $0) }
        lock.until = document["RetainUntilDate"].flatMap { Timestamp(s3Date: $0) }
        self.lock = lock
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let now = s3.world.now()
      if let until = input.lock.until, until <= now { throw .retainUntilThePast(until.iso8601) }
      _ = try await s3.change(input.target, call) { object, bucket, session throws(Fault) in
        guard try session.document(of: .objectLock, bucket.name) != nil else { return .failure(.bucketHasNoLock()) }
        if let refusal = object.lock.refusal(of: input.lock, at: now, bypasses: input.bypasses) {
          return .failure(refusal)
        }
        (object.lock.mode, object.lock.until) = (input.lock.mode, input.lock.until)
        return .success(.retentionPut)
      }
      return Output()
    }
  }
}
