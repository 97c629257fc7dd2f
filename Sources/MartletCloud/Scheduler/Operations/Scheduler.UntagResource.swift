// UntagResource: takes tags from a group; what it does not have is no error.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UntagResource.html
import MartletCore
import MartletStore
import MartletWire

extension Scheduler {
  enum UntagResource: Operation {
    static let route = Route.rest("Scheduler.UntagResource", .delete, "/tags/{ResourceArn}")

    struct Input: Readable {
      let resource: String
      let keys: [String]

      init(_ r: Reader) throws(AWSError) {
        resource = r.schedulerResource()
        keys = r.schedulerTagKeys()
      }
    }

    typealias Output = DeleteSchedule.Output

    static func answer(_ input: Input, _ call: Call, _ scheduler: SchedulerService) async throws(AWSError) -> Output {
      let key = try scheduler.taggedGroup(input.resource, call)
      let now = scheduler.world.now()
      try await scheduler.groups.change(key) { record throws(AWSError) in
        guard var group = record else {
          if key.name == Schedule.defaultGroup { return }
          throw .schedulerNoGroup(key.name)
        }
        group.tags.removeAll { input.keys.contains($0.key) }
        group.modified = now
        record = group
      }
      return Output()
    }
  }
}

extension Reader {
  /// The query's `TagKeys`, which must be there.
  func schedulerTagKeys() -> [String] {
    let keys = queryList("TagKeys")
    let shown = "[\(keys.joined(separator: ", "))]"
    if keys.isEmpty {
      violate("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")
    }
    if keys.count > 200 {
      violate(
        "Value '\(shown)' at 'tagKeys' failed to satisfy constraint: Member must have length less than or equal to 200")
    }
    if keys.contains(where: { !(1...128).contains($0.unicodeScalars.count) }) {
      violate(
        "Value '\(shown)' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: "
          + "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]")
    }
    return keys
  }
}
