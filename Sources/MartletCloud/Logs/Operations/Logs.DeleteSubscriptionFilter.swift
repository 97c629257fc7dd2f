// DeleteSubscriptionFilter: ends a subscription.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteSubscriptionFilter.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DeleteSubscriptionFilter: Operation {
    static let route = Route.target("Logs.DeleteSubscriptionFilter")

    struct Input: Readable {
      let group: String
      let name: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        name = m.required("filterName", .length(1, 512), .pattern(Logs.namePattern))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.update(input.group, call.place) { group throws(AWSError) in
        guard group.subscriptions.contains(where: { $0.name == input.name }) else {
          throw .logsNoFilter("subscription")
        }
        group.subscriptions.removeAll { $0.name == input.name }
      }
      return Empty()
    }
  }
}
