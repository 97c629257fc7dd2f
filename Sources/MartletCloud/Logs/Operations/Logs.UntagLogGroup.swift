// UntagLogGroup: takes tags off a group, by its name.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_UntagLogGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum UntagLogGroup: Operation {
    static let route = Route.target("Logs.UntagLogGroup")

    struct Input: Readable {
      let group: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        keys = m.requiredStrings("tags", count: 1...Int.max, each: [.length(1, 128), .pattern(Logs.tagKeyPattern)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.update(input.group, call.place) { group throws(AWSError) in group.untag(input.keys) }
      return Empty()
    }
  }
}
