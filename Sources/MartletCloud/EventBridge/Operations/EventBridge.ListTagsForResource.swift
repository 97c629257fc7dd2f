// ListTagsForResource: the tags of a rule or a bus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTagsForResource.html
import MartletCore
import MartletWire

extension EventBridge {
  enum ListTagsForResource: Operation {
    static let route = Route.target("EventBridge.ListTagsForResource")

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) {
        arn = try r.body().required("ResourceARN", as: EventBridgeName.arn)
      }
    }

    struct Output: Writable {
      let tags: [EventBridgeTag]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      Output(tags: try events.tags(input.arn))
    }
  }
}
