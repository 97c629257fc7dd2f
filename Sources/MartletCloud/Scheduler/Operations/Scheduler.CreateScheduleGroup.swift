// CreateScheduleGroup: a group, with its tags.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum CreateScheduleGroup: Operation {
    static let route = Route.rest("Scheduler.CreateScheduleGroup", .post, "/schedule-groups/{Name}")

    struct Input: Readable {
      let name: String
      let tags: [ScheduleGroup.Tag]
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.scheduleName()
        let m = try r.body()
        tags = m.schedulerTags(isRequired: false)
        token = m.string("ClientToken", .length(1, 64), .pattern(SchedulerNames.tokenPattern))
      }
    }

    struct Output: Writable {
      let arn: String
      func write(to w: inout Writer) { w.body { $0.member("ScheduleGroupArn", arn) } }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let key = ResourceKey(place: call.place, name: input.name)
      let now = scheduler.world.now()
      let group = try await scheduler.groups.change(key) { record throws(AWSError) -> ScheduleGroup in
        if input.name == Schedule.defaultGroup { throw .schedulerGroupExists(input.name) }
        var made = ScheduleGroup(key: key, created: now, token: input.token)
        try made.tag(input.tags)
        if let there = record {
          guard input.token != nil, there.token == input.token, there.tags == made.tags, !there.isDeleting else {
            throw .schedulerGroupExists(input.name)
          }
          return there
        }
        record = made
        return made
      }
      return Output(arn: group.arn)
    }
  }
}
