// Where an event source mapping reads, and what mappings of each kind of source can be told.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html, reference/event-source-mappings.md 4.1
import MartletCore
import MartletWire

package enum EventSource: String, Sendable, CaseIterable {
  case queue
  case fifoQueue
  case kinesis
  case dynamoDB
  case managedKafka
  case selfManagedKafka
  case mq
  case documentDB

  /// nil for an ARN that no mapping can read.
  init?(arn text: String) {
    guard let arn = ARN(text) else { return nil }
    switch arn.service {
    case "sqs": self = arn.resource.hasSuffix(".fifo") ? .fifoQueue : .queue
    case "kinesis": self = .kinesis
    case "dynamodb" where arn.resource.contains("/stream/"): self = .dynamoDB
    case "kafka": self = .managedKafka
    case "mq": self = .mq
    case "rds", "docdb", "docdb-elastic": self = .documentDB
    default: return nil
    }
  }

  var isQueue: Bool { self == .queue || self == .fifoQueue }
  var isStream: Bool { self == .kinesis || self == .dynamoDB }
  var isKafka: Bool { self == .managedKafka || self == .selfManagedKafka }

  /// Records per invocation, unless the mapping says otherwise.
  var batchSize: Int { isQueue ? 10 : 100 }

  /// What AWS answers as the reason of every state that a user asked for.
  var userReason: String { isStream ? "User action" : "USER_INITIATED" }

  /// Settings that mappings of the source can have, beside those that all have.
  var settings: Set<String> {
    switch self {
    case .queue, .fifoQueue: ["FunctionResponseTypes", "ScalingConfig", "ProvisionedPollerConfig"]
    case .kinesis, .dynamoDB: EventSource.streaming.union(["ParallelizationFactor", "TumblingWindowInSeconds"])
    case .managedKafka:
      EventSource.streaming.union([
        "Topics", "SourceAccessConfigurations", "AmazonManagedKafkaEventSourceConfig", "ProvisionedPollerConfig",
        "LoggingConfig",
      ])
    case .selfManagedKafka:
      EventSource.streaming.union([
        "Topics", "SourceAccessConfigurations", "SelfManagedKafkaEventSourceConfig", "ProvisionedPollerConfig",
        "SelfManagedEventSource", "LoggingConfig",
      ])
    case .mq: ["Queues", "SourceAccessConfigurations"]
    case .documentDB:
      ["SourceAccessConfigurations", "DocumentDBEventSourceConfig", "StartingPosition", "StartingPositionTimestamp"]
    }
  }

  private static let streaming: Set<String> = [
    "StartingPosition", "StartingPositionTimestamp", "BisectBatchOnFunctionError", "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds", "DestinationConfig", "FunctionResponseTypes",
  ]
  static let common: Set<String> = [
    "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "KMSKeyArn", "MetricsConfig",
  ]

  /// What a new mapping has if its request does not say so.
  func defaults(uuid: RequestID) -> [String: JSONValue] {
    var values: [String: JSONValue] = ["BatchSize": .integer(Int64(batchSize))]
    if isQueue || isStream { values["MaximumBatchingWindowInSeconds"] = .integer(0) }
    if settings.contains("FunctionResponseTypes") { values["FunctionResponseTypes"] = .array([]) }
    if isStream {
      values["ParallelizationFactor"] = .integer(1)
      values["BisectBatchOnFunctionError"] = .bool(false)
      values["MaximumRecordAgeInSeconds"] = .integer(-1)
      values["MaximumRetryAttempts"] = .integer(-1)
      values["TumblingWindowInSeconds"] = .integer(0)
    }
    if isStream || isKafka { values["DestinationConfig"] = .members(("OnFailure", .object([]))) }
    if isKafka {
      values["StartingPosition"] = .string("TRIM_HORIZON")
      let name = self == .managedKafka ? "AmazonManagedKafkaEventSourceConfig" : "SelfManagedKafkaEventSourceConfig"
      values[name] = .members(("ConsumerGroupId", .string(uuid.description)))
    }
    return values
  }
}
