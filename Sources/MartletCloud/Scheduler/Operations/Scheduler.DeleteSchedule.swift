// DeleteSchedule: what is on its way to the target already still arrives.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteSchedule.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum DeleteSchedule: Operation {
    static let route = Route.rest("Scheduler.DeleteSchedule", .delete, "/schedules/{Name}")

    struct Input: Readable {
      let name: String
      let group: String
      let token: String?

      init(_ r: Reader) throws(AWSError) {
        (name, group, token) = (r.scheduleName(), r.scheduleGroup(), r.schedulerToken())
      }
    }

    struct Output: Writable {
      func write(to w: inout Writer) { w.body { _ in } }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let key = Schedule.key(call.place, group: input.group, name: input.name)
      if scheduler.schedules.find(key) == nil, scheduler.isSpent(input.token, on: key) { return Output() }
      _ = try scheduler.requireGroup(call.place, input.group)
      try await scheduler.schedules.change(key) { record throws(AWSError) in
        if record == nil { throw .schedulerNoSchedule(input.name) }
        record = nil
      }
      scheduler.spend(input.token, on: key)
      return Output()
    }
  }
}
