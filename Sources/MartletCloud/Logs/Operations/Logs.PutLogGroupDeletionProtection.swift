// PutLogGroupDeletionProtection: whether a group can be deleted.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogGroupDeletionProtection.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutLogGroupDeletionProtection: Operation {
    static let route = Route.target("Logs.PutLogGroupDeletionProtection")

    struct Input: Readable {
      let group: GroupReference
      let isProtected: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = GroupReference(
          identifier: m.required("logGroupIdentifier", .length(1, 2048), .pattern(Logs.identifierPattern)))
        isProtected = m.bool("deletionProtectionEnabled") ?? false
        if !m.contains("deletionProtectionEnabled") {
          r.violate(
            "Value null at 'deletionProtectionEnabled' failed to satisfy constraint: Member must not be null")
        }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let name = try input.group.name(in: call.place)
      try await logs.update(name, call.place) { group throws(AWSError) in group.isProtected = input.isProtected }
      return Empty()
    }
  }
}
