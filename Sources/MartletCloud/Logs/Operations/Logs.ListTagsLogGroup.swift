// ListTagsLogGroup: the tags of a group, by its name.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsLogGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum ListTagsLogGroup: Operation {
    static let route = Route.target("Logs.ListTagsLogGroup")

    struct Input: Readable {
      let group: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
      }
    }

    struct Output: Writable {
      let tags: [(key: String, value: String)]

      func write(to w: inout Writer) {
        w.body { w in
          w.member("tags", tags)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      Output(tags: try logs.group(input.group, call.place).tags)
    }
  }
}
