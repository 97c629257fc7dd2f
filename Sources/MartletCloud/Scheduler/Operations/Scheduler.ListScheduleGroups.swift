// ListScheduleGroups: groups in the order of their names, a page at a time.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ListScheduleGroups.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum ListScheduleGroups: Operation {
    static let route = Route.rest("Scheduler.ListScheduleGroups", .get, "/schedule-groups")

    struct Input: Readable {
      let prefix: String
      let page: SchedulerPage
      init(_ r: Reader) throws(AWSError) { (prefix, page) = (r.schedulerPrefix(), SchedulerPage(r)) }
    }

    struct Output: Writable {
      let groups: [ScheduleGroup]
      let next: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.member("NextToken", next)
          w.list("ScheduleGroups", groups) { $1.write(to: &$0) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      var groups = scheduler.groups.list(call.place)
      let standard = ResourceKey(place: call.place, name: Schedule.defaultGroup)
      if !groups.contains(where: { $0.key == standard }) {
        groups.append(ScheduleGroup(key: standard, created: nil))
        groups.sort { $0.key.name < $1.key.name }
      }
      let (page, next) = try input.page.cut(groups.filter { $0.key.name.hasPrefix(input.prefix) }) { $0.key.name }
      return Output(groups: page, next: next)
    }
  }
}
