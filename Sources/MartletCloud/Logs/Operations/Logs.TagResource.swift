// TagResource: tags of a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum TagResource: Operation {
    static let route = Route.target("Logs.TagResource")

    struct Input: Readable {
      let resource: String
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("resourceArn", .length(1, 1011), .pattern(Logs.resourcePattern))
        tags = m.tags("tags", isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let name = try Logs.taggedGroup(input.resource, call.place)
      try await logs.update(name, call.place) { group throws(AWSError) in try group.tag(input.tags) }
      return Empty()
    }
  }
}
