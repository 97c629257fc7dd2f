// DisassociateKmsKey: forgets the key of a group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DisassociateKmsKey.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DisassociateKmsKey: Operation {
    static let route = Route.target("Logs.DisassociateKmsKey")

    struct Input: Readable {
      let group: GroupReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        let name = m.string("logGroupName", .length(1, 512), .pattern(Logs.groupPattern))
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
      try await logs.update(name, call.place) { group throws(AWSError) in group.kmsKey = nil }
      return Empty()
    }
  }
}
