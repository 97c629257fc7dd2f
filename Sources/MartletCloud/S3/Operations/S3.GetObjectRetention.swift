// GetObjectRetention: until when a version is kept from being deleted.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html
import MartletCore
import MartletWire

extension S3 {
  enum GetObjectRetention: Operation {
    static let route = Route.rest("S3.GetObjectRetention", .get, "/{Bucket}/{Key+}?retention")

    typealias Input = S3ObjectRequest
    typealias Output = S3SettingDocument

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      let lock = try await s3.lock(of: input, call)
      guard let mode = lock.mode, let until = lock.until else { throw .objectHasNoLock() }
      return Output(
        document: XMLElement(
          "Retention",
          children: [
            XMLElement("Mode", text: mode.rawValue), XMLElement("RetainUntilDate", text: until.iso8601),
          ]))
    }
  }
}
