// ListTagsForResource: the tags of a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum ListTagsForResource: Operation {
    static let route = Route.target("Logs.ListTagsForResource")

    struct Input: Readable {
      let resource: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("resourceArn", .length(1, 1011), .pattern(Logs.resourcePattern))
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
      let name = try Logs.taggedGroup(input.resource, call.place)
      return Output(tags: try logs.group(name, call.place).tags)
    }
  }
}
