// PutResourcePolicy: who of AWS's services may write. It is kept; nothing is enforced.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutResourcePolicy: Operation {
    static let route = Route.target("Logs.PutResourcePolicy")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let name: String
      let text: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.string("policyName") ?? ""
        text = m.string("policyDocument", .length(1, 51_200)) ?? ""
        let resource = m.string("resourceArn")
        _ = m.string("expectedRevisionId", .length(1, nil))
        if name.isEmpty || text.isEmpty {
          m.refuse(.logsInvalid("policyName and policyDocument must be specified."))
        } else if resource != nil {
          m.refuse(.notImplemented("Logs.PutResourcePolicy for a single resource"))
        }
      }
    }

    struct Output: Writable {
      let policy: LogsPolicy

      func write(to w: inout Writer) {
        w.body { w in
          w.object("resourcePolicy") { policy.write(to: &$0) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      guard (try? JSONValue(parsing: input.text))?.members != nil else {
        throw .logsInvalid("The policy document is not valid JSON.")
      }
      let policy = LogsPolicy(
        key: ResourceKey(place: call.place, name: input.name), text: input.text, updated: logs.now)
      try await logs.policies.change(policy.key) { record throws(AWSError) in
        guard record != nil || logs.policies.newest(in: call.place).count < 10 else {
          throw .logsLimit("Resource limit exceeded.")
        }
        record = policy
      }
      return Output(policy: policy)
    }
  }
}
