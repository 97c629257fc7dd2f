// ListTags: the tags of trails.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTags.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum ListTags: Operation {
    static let route = Route.target("CloudTrail.ListTags")

    struct Input: Readable {
      let resources: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        resources = m.requiredStrings("ResourceIdList")
        _ = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let trails: [Trail]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("ResourceTagList", trails) { w, trail in
            w.member("ResourceId", trail.arn)
            w.list("TagsList", trail.tags) { w, tag in
              w.member("Key", tag.key)
              w.member("Value", tag.value)
            }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      var trails: [Trail] = []
      for resource in input.resources { trails.append(try service.tagged(resource, call)) }
      return Output(trails: trails)
    }
  }
}
