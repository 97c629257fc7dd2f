// GetSchedule: one schedule with all its settings.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum GetSchedule: Operation {
    static let route = Route.rest("Scheduler.GetSchedule", .get, "/schedules/{Name}")

    struct Input: Readable {
      let name: String
      let group: String

      init(_ r: Reader) throws(AWSError) { (name, group) = (r.scheduleName(), r.scheduleGroup()) }
    }

    struct Output: Writable {
      let schedule: Schedule
      func write(to w: inout Writer) { w.body { schedule.write(to: &$0) } }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      _ = try scheduler.requireGroup(call.place, input.group)
      let key = Schedule.key(call.place, group: input.group, name: input.name)
      guard let schedule = scheduler.schedules.find(key) else { throw .schedulerNoSchedule(input.name) }
      return Output(schedule: schedule)
    }
  }
}
