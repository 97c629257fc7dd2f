// DeleteQueryDefinition: forgets a query.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteQueryDefinition.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DeleteQueryDefinition: Operation {
    static let route = Route.target("Logs.DeleteQueryDefinition")

    struct Input: Readable {
      let id: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        id = m.required("queryDefinitionId", .length(1, 256))
      }
    }

    struct Output: Writable {
      var success: Bool { true }

      func write(to w: inout Writer) {
        w.body { w in
          w.member("success", success)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.definitions.change(ResourceKey(place: call.place, name: input.id)) { record throws(AWSError) in
        guard record != nil else { throw .logsNoResource("The specified query definition does not exist.") }
        record = nil
      }
      return Output()
    }
  }
}
