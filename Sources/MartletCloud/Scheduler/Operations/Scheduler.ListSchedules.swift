// ListSchedules: schedules in the order of their groups and names, a page at a time.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListSchedules.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum ListSchedules: Operation {
    static let route = Route.rest("Scheduler.ListSchedules", .get, "/schedules")

    struct Input: Readable {
      let group: String?
      let prefix: String
      let state: String?
      let page: SchedulerPage

      init(_ r: Reader) throws(AWSError) {
        group = r.query("ScheduleGroup", as: "groupName", .length(1, 64), .pattern(SchedulerNames.pattern))
        prefix = r.schedulerPrefix()
        state = r.query("State", .oneOf(["ENABLED", "DISABLED"]))
        page = SchedulerPage(r)
      }
    }

    struct Output: Writable {
      let schedules: [Schedule]
      let next: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("NextToken", next)
          w.list("Schedules", schedules) { $1.writeSummary(to: &$0) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      if let group = input.group { _ = try scheduler.requireGroup(call.place, group) }
      let found = scheduler.schedules.list(call.place).filter { schedule in
        (input.group ?? schedule.group) == schedule.group && schedule.name.hasPrefix(input.prefix)
          && (input.state ?? schedule.settings.state) == schedule.settings.state
      }
      let (page, next) = try input.page.cut(found) { $0.key.name }
      return Output(schedules: page, next: next)
    }
  }
}
