// UntagResource: takes tags from a rule or a bus.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UntagResource.html
import MartletCore
import MartletWire

extension EventBridge {
  enum UntagResource: Operation {
    static let route = Route.target("EventBridge.UntagResource")

    struct Input: Readable {
      let arn: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.required("ResourceARN", as: EventBridgeName.arn)
        keys = m.requiredStrings("TagKeys", each: [.length(1, 128)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      try await events.changeTags(input.arn) { tags in tags.filter { !input.keys.contains($0.key) } }
      return Empty()
    }
  }
}
