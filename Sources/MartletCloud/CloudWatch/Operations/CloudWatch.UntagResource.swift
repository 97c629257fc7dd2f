// UntagResource: takes tags from an alarm.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_UntagResource.html
import MartletCore
import MartletWire

extension CloudWatch {
  enum UntagResource: Operation {
    static let route = Route.target("CloudWatch.UntagResource")

    struct Input: Readable {
      let arn: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.required("ResourceARN", .length(1, 1024))
        keys = m.requiredStrings("TagKeys", each: [.length(1, 128)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      try await cloudWatch.changeTags(input.arn) { tags in tags.removeAll { input.keys.contains($0.key) } }
      return Empty()
    }
  }
}
