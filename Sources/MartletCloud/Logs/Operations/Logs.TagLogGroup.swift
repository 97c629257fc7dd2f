// TagLogGroup: tags of a group, by its name.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagLogGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum TagLogGroup: Operation {
    static let route = Route.target("Logs.TagLogGroup")

    struct Input: Readable {
      let group: String
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        tags = m.tags("tags", isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.update(input.group, call.place) { group throws(AWSError) in try group.tag(input.tags) }
      return Empty()
    }
  }
}
