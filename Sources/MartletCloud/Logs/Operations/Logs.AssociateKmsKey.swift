// AssociateKmsKey: names the key of a group. It is kept; nothing is encrypted.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum AssociateKmsKey: Operation {
    static let route = Route.target("Logs.AssociateKmsKey")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let group: GroupReference
      let key: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        let name = m.string("logGroupName", .length(1, 512), .pattern(Logs.groupPattern))
        key = m.required("kmsKeyId", .length(nil, 256))
        let resource = m.string("resourceIdentifier", .length(1, 2048), .pattern(Pattern(#"[\w+=/:,.@\-\*]*"#)))
        group = GroupReference(identifier: name ?? resource ?? "")
        if (name == nil) == (resource == nil) {
          m.refuse(.logsInvalid("Exactly one of logGroupName and resourceIdentifier must be specified."))
        }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let name = try input.group.name(in: call.place)
      try await logs.update(name, call.place) { group throws(AWSError) in group.kmsKey = input.key }
      return Empty()
    }
  }
}
