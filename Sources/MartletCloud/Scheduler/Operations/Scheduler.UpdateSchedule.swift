// UpdateSchedule: all settings of a schedule anew; what is left out gets its default.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum UpdateSchedule: Operation {
    static let route = Route.rest("Scheduler.UpdateSchedule", .put, "/schedules/{Name}")

    typealias Input = CreateSchedule.Input
    typealias Output = CreateSchedule.Output

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let request = input.request
      let now = scheduler.world.now()
      let settings = try request.settings(now: now, scheduler.zones)
      _ = try scheduler.requireGroup(call.place, request.group)
      try await scheduler.requireAssumable(settings.target.role, call)
      let key = Schedule.key(call.place, group: request.group, name: request.name)
      let schedule = try await scheduler.schedules.change(key) { record throws(AWSError) -> Schedule in
        guard var schedule = record else { throw .schedulerNoSchedule(request.name) }
        schedule.update(settings, now: now)
        record = schedule
        return schedule
      }
      return Output(arn: schedule.arn)
    }
  }
}
