// ListTags: the tags of a function or another resource.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListTags: Operation {
    static let route = Route.rest("Lambda.ListTags", .get, "/2017-03-31/tags/{Resource}")

    struct Input: Readable {
      let resource: String

      init(_ r: Reader) throws(AWSError) {
        resource = r.taggedResource()
      }
    }

    struct Output: Writable {
      let tags: [(key: String, value: String)]

      func write(to w: inout Writer) {
        w.body { $0.member("Tags", tags) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      Output(tags: try TaggedResource(input.resource, call, lambda, "ListTags").tags)
    }
  }
}
