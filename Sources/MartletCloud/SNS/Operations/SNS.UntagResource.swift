// UntagResource: removes tags from a topic; they need not be there.
// https://docs.aws.amazon.com/sns/latest/api/API_UntagResource.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum UntagResource: Operation {
    static let route = Route.query("SNS.UntagResource")

    struct Input: Readable {
      let resource: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resource = m.required("ResourceArn", .length(1, 1011))
        keys = m.requiredStrings("TagKeys", each: [.length(1, 128)])
      }
    }

    struct Output: Writable {
      func write(to w: inout Writer) { w.body { _ in } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let topic = try sns.resource(input.resource, call, "UntagResource")
      try await sns.topics.change(topic.key) { record throws(AWSError) in
        guard var changed = record else { throw .snsNoResource() }
        changed.tags.removeAll { input.keys.contains($0.key) }
        record = changed
      }
      return Output()
    }
  }
}
