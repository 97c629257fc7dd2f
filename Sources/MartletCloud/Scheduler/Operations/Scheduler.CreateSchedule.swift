// CreateSchedule: something to be invoked once, or again and again.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum CreateSchedule: Operation {
    static let route = Route.rest("Scheduler.CreateSchedule", .post, "/schedules/{Name}")

    struct Input: Readable {
      let request: ScheduleRequest
      init(_ r: Reader) throws(AWSError) { request = try ScheduleRequest(r) }
    }

    struct Output: Writable {
      let arn: String
      func write(to w: inout Writer) { w.body { $0.member("ScheduleArn", arn) } }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let request = input.request
      let now = scheduler.world.now()
      let settings = try request.settings(now: now, scheduler.zones)
      _ = try scheduler.requireGroup(call.place, request.group)
      try await scheduler.requireAssumable(settings.target.role, call)
      let key = Schedule.key(call.place, group: request.group, name: request.name)
      let incarnation = scheduler.world.random()
      let schedule = try await scheduler.schedules.change(key) { record throws(AWSError) -> Schedule in
        guard let group = scheduler.newestGroup(call.place, request.group) else {
          throw .schedulerNoGroup(request.group)
        }
        if group.isDeleting { throw .schedulerGroupIsDeleting(request.group) }
        if let there = record {
          guard let token = request.token, there.token == token, there.settings == settings else {
            throw .schedulerScheduleExists(request.name)
          }
          return there
        }
        let made = Schedule(key: key, settings: settings, now: now, incarnation: incarnation, token: request.token)
        record = made
        return made
      }
      return Output(arn: schedule.arn)
    }
  }
}
