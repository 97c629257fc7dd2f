// ListTagsForResource: the tags of a group.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListTagsForResource.html
import MartletCore
import MartletWire

extension Scheduler {
  enum ListTagsForResource: Operation {
    static let route = Route.rest("Scheduler.ListTagsForResource", .get, "/tags/{ResourceArn}")

    struct Input: Readable {
      let resource: String
      init(_ r: Reader) throws(AWSError) { resource = r.schedulerResource() }
    }

    struct Output: Writable {
      let tags: [ScheduleGroup.Tag]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let key = try scheduler.taggedGroup(input.resource, call)
      guard let group = scheduler.group(key) else { throw .schedulerNoGroup(key.name) }
      return Output(tags: group.tags)
    }
  }
}
