// UntagResource: takes tags off a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagResource.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum UntagResource: Operation {
    static let route = Route.target("Logs.UntagResource")

    struct Input: Readable {
      let resource: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("resourceArn", .length(1, 1011), .pattern(Logs.resourcePattern))
        keys = m.requiredStrings("tagKeys", count: 0...50, each: [.length(1, 128), .pattern(Logs.tagKeyPattern)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let name = try Logs.taggedGroup(input.resource, call.place)
      try await logs.update(name, call.place) { group throws(AWSError) in group.untag(input.keys) }
      return Empty()
    }
  }
}
