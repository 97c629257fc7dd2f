// PutSubscriptionFilter: sends what comes into a group on to a function or a stream.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutSubscriptionFilter: Operation {
    static let route = Route.target("Logs.PutSubscriptionFilter")

    struct Input: Readable {
      let group: String
      let name: String
      let pattern: String
      let destination: String
      let role: String?
      let distribution: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        name = m.required("filterName", .length(1, 512), .pattern(Logs.namePattern))
        pattern = m.required("filterPattern", .length(0, 1024))
        destination = m.required("destinationArn", .length(1, nil))
        role = m.string("roleArn", .length(1, nil))
        distribution = m.string("distribution", .oneOf(["Random", "ByLogStream"])) ?? "ByLogStream"
        _ = m.bool("applyOnTransformedLogs")
        _ = m.string("fieldSelectionCriteria", .length(0, 2000))
        _ = m.strings("emitSystemFields")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      _ = try FilterPattern(input.pattern)
      _ = try logs.group(input.group, call.place)
      let filter = SubscriptionFilter(
        name: input.name, pattern: input.pattern, destination: input.destination, role: input.role,
        distribution: input.distribution, created: logs.now)
      try await logs.check(filter, call)
      try await logs.update(input.group, call.place) { group throws(AWSError) in
        group.subscriptions.removeAll { $0.name == filter.name }
        guard group.subscriptions.count < 2 else { throw .logsLimit("Resource limit exceeded.") }
        group.subscriptions.append(filter)
      }
      return Empty()
    }
  }
}
