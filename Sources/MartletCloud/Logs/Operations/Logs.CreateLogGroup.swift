// CreateLogGroup: a group for streams.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum CreateLogGroup: Operation {
    static let route = Route.target("Logs.CreateLogGroup")

    struct Input: Readable {
      let group: String
      let kmsKey: String?
      let tags: [(key: String, value: String)]
      let logClass: String
      let isProtected: Bool

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        kmsKey = m.string("kmsKeyId", .length(nil, 256))
        tags = m.tags("tags", isRequired: false)
        logClass = m.string("logGroupClass", .oneOf(LogGroup.classes)) ?? "STANDARD"
        isProtected = m.bool("deletionProtectionEnabled") ?? false
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let (store, now) = (logs.newStore(), logs.now)
      let made = try await logs.groups.change(ResourceKey(place: call.place, name: input.group)) {
        record throws(AWSError) -> LogGroup in
        guard record == nil else { throw .logsGroupExists() }
        var group = LogGroup(
          key: ResourceKey(place: call.place, name: input.group), store: store, created: now, logClass: input.logClass)
        group.kmsKey = input.kmsKey
        group.isProtected = input.isProtected
        try group.tag(input.tags)
        record = group
        return group
      }
      _ = try await logs.blocking { () throws(Fault) -> LogFolder in try logs.folder(made) }
      return Empty()
    }
  }
}
