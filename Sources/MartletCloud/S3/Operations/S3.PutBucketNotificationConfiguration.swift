// PutBucketNotificationConfiguration: who shall be told of what happens in a bucket, in the place of those before.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
import MartletCore
import MartletStore
import MartletWire

extension S3 {
  enum PutBucketNotificationConfiguration: Operation {
    static let route = Route.rest("S3.PutBucketNotificationConfiguration", .put, "/{Bucket}?notification")

    struct Input: Readable {
      let request: S3SettingRequest
      /// Destinations are not asked, and get no test.
      let skipsValidation: Bool

      init(_ r: Reader) throws(AWSError) {
        request = try S3SettingRequest(r)
        skipsValidation = r.request.header("x-amz-skip-destination-validation")?.lowercased() == "true"
      }
    }

    typealias Output = S3Done

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let name = input.request.bucket
      let bucket = try await s3.bucket(name, call)
      let given = try input.request.document(of: .notification)
      let completed = S3Setting.notification.completed(given) { s3.newVersion() }
      let notifications = S3Notifications(completed)
      if let refusal = notifications.refusal(completed, in: bucket) { throw refusal }
      let document = S3Notifications.shown(completed)
      if !input.skipsValidation { try await s3.validate(notifications, call) }
      let now = s3.world.now()
      return try await s3.catalogue.writeTelling {
        session throws(Fault) -> Result<(S3Done, [Parcel.Draft]), AWSError> in
        if case .failure(let error) = try session.ownBucket(name, call) { return .failure(error) }
        if document.children.isEmpty {
          try session.forget(S3Setting.notification.kind, of: name)
        } else {
          try session.keep(document.document, as: S3Setting.notification.kind, of: name)
        }
        let tests = input.skipsValidation ? [] : notifications.tests(of: bucket, at: now, call)
        return .success((S3Done(), tests))
      }
    }
  }
}
