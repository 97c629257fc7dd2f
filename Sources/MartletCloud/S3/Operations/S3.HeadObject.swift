// HeadObject: what GetObject would say, without the bytes.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
import MartletCore
import MartletWire

extension S3 {
  enum HeadObject: Operation {
    static let route = Route.rest("S3.HeadObject", .head, "/{Bucket}/{Key+}")

    typealias Input = S3.GetObject.Input
    typealias Output = S3.GetObject.Output

    static func answer(_ input: Input, _ call: Call, _ s3: S3Service) async throws(AWSError) -> Output {
      try await S3.GetObject.answer(input, call, s3)
    }
  }
}
