// ListTagsForResource: the tags of a topic.
// https://docs.aws.amazon.com/sns/latest/api/API_ListTagsForResource.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum ListTagsForResource: Operation {
    static let route = Route.query("SNS.ListTagsForResource")

    struct Input: Readable {
      let resource: String

      init(_ r: Reader) throws(AWSError) { resource = try r.body().required("ResourceArn", .length(1, 1011)) }
    }

    struct Output: Writable {
      let tags: [SNSTopic.Tag]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      Output(tags: try sns.resource(input.resource, call, "ListTagsForResource").tags)
    }
  }
}
