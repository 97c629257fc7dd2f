// GetScheduleGroup: one group.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetScheduleGroup.html
import MartletCore
import MartletWire

extension Scheduler {
  enum GetScheduleGroup: Operation {
    static let route = Route.rest("Scheduler.GetScheduleGroup", .get, "/schedule-groups/{Name}")

    struct Input: Readable {
      let name: String
      init(_ r: Reader) throws(AWSError) { name = r.scheduleName() }
    }

    struct Output: Writable {
      let group: ScheduleGroup
      func write(to w: inout Writer) { w.body { group.write(to: &$0) } }
    }

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      Output(group: try scheduler.requireGroup(call.place, input.name))
    }
  }
}
