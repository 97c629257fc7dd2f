// DeleteResourcePolicy: takes a policy away.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteResourcePolicy.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DeleteResourcePolicy: Operation {
    static let route = Route.target("Logs.DeleteResourcePolicy")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.string("policyName") ?? ""
        _ = m.string("resourceArn")
        _ = m.string("expectedRevisionId", .length(1, nil))
        if name.isEmpty { m.refuse(.logsInvalid("policyName must be specified.")) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.policies.change(ResourceKey(place: call.place, name: input.name)) { record throws(AWSError) in
        guard record != nil else { throw .logsNoResource("Policy with name [\(input.name)] does not exist") }
        record = nil
      }
      return Empty()
    }
  }
}
