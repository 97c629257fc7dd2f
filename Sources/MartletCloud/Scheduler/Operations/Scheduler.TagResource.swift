// TagResource: adds tags to a group, or gives them new values.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_TagResource.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum TagResource: Operation {
    static let route = Route.rest("Scheduler.TagResource", .post, "/tags/{ResourceArn}")

    struct Input: Readable {
      let resource: String
      let tags: [ScheduleGroup.Tag]

      init(_ r: Reader) throws(AWSError) {
        resource = r.schedulerResource()
        tags = try r.body().schedulerTags(isRequired: true)
      }
    }

    typealias Output = DeleteSchedule.Output

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let key = try scheduler.taggedGroup(input.resource, call)
      let now = scheduler.world.now()
      try await scheduler.groups.change(key) { record throws(AWSError) in
        // The group that is always there is written down when there is something to say of it.
        let standard = key.name == Schedule.defaultGroup ? ScheduleGroup(key: key, created: now) : nil
        guard var group = record ?? standard else { throw .schedulerNoGroup(key.name) }
        try group.tag(input.tags)
        group.modified = now
        record = group
      }
      return Output()
    }
  }
}
