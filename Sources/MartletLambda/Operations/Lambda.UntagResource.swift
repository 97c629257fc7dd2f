// UntagResource: removes tags from a function or another resource; keys that it does not have do no harm.
// https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html
import MartletCore
import MartletWire

extension Lambda {
  enum UntagResource: Operation {
    static let route = Route.rest("Lambda.UntagResource", .delete, "/2017-03-31/tags/{Resource}", status: 204)

    struct Input: Readable {
      let resource: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        resource = r.taggedResource()
        keys = r.queryList("tagKeys")
        if keys.isEmpty { r.violate("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null") }
        if keys.contains(where: { !Tags.isKey($0) }) {
          r.violate(
            "Value '[\(keys.joined(separator: ", "))]' at 'tagKeys' failed to satisfy constraint: "
              + "Member must satisfy constraint: [Member must have length less than or equal to 128, "
              + "Member must have length greater than or equal to 1, "
              + "Member must satisfy regular expression pattern: \(Tags.textPattern.text)]")
        }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let resource = try TaggedResource(input.resource, call, lambda, "UntagResource")
      try await resource.change { (old) throws(AWSError) in old.filter { !input.keys.contains($0.key) } }
      return Empty()
    }
  }
}
