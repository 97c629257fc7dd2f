// DeleteScheduleGroup: a group and every schedule in it.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteScheduleGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum DeleteScheduleGroup: Operation {
    static let route = Route.rest("Scheduler.DeleteScheduleGroup", .delete, "/schedule-groups/{Name}")

    struct Input: Readable {
      let name: String
      let token: String?
      init(_ r: Reader) throws(AWSError) { (name, token) = (r.scheduleName(), r.schedulerToken()) }
    }

    typealias Output = DeleteSchedule.Output

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let key = ResourceKey(place: call.place, name: input.name)
      if input.name == Schedule.defaultGroup { throw .schedulerDefaultGroup() }
      if scheduler.groups.find(key) == nil, scheduler.isSpent(input.token, on: key) { return Output() }
      // From then on nothing comes into it.
      try await scheduler.groups.change(key) { record throws(AWSError) in
        guard record != nil else { throw .schedulerNoGroup(input.name) }
        record?.isDeleting = true
      }
      for schedule in scheduler.schedules.list(call.place) where schedule.group == input.name {
        try await scheduler.schedules.change(schedule.key) { record throws(AWSError) in record = nil }
      }
      try await scheduler.groups.change(key) { record throws(AWSError) in record = nil }
      scheduler.spend(input.token, on: key)
      return Output()
    }
  }
}
