// An event source mapping: what invokes a function with the records of a queue or a stream. It is kept and shown, and
// passes through AWS's states; Pollers.swift does what it says for queues.
// https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
import MartletCore
import MartletStore
import MartletWire

package struct EventSourceMapping: Document, TaggedRecord {
  package enum State: String, Sendable {
    case creating = "Creating"
    case enabling = "Enabling"
    case enabled = "Enabled"
    case disabling = "Disabling"
    case disabled = "Disabled"
    case updating = "Updating"
    case deleting = "Deleting"

    /// On the way to another state, and not to be changed until it is there.
    var isBusy: Bool { self != .enabled && self != .disabled }
  }

  /// Its name is the UUID.
  package let key: ResourceKey
  package let source: EventSource
  /// nil for self-managed Kafka.
  package let sourceARN: String?
  /// Qualified if the caller qualified it.
  package var functionARN: String
  /// What the owner wants.
  package var isEnabled: Bool
  package var state: State
  package var lastModified: Timestamp
  /// By their names in the API, as answers show them.
  package var settings: [String: JSONValue]
  var tags: [(key: String, value: String)] = []
  /// What keeps its poller from working at the moment; kept nowhere.
  var problem: String?

  package var arn: String {
    ARN(service: "lambda", place: key.place, resource: "event-source-mapping:\(key.name)").description
  }

  static func name(_ text: String) -> String { text.lowercased() }

  /// The state that follows; nil: the mapping goes.
  func settled(at now: Timestamp) -> EventSourceMapping? {
    if state == .deleting { return nil }
    guard state.isBusy else { return self }
    var copy = self
    copy.state = isEnabled ? .enabled : .disabled
    copy.lastModified = now
    return copy
  }

  /// In the order of answers.
  private static let names = [
    "StartingPosition", "StartingPositionTimestamp", "BatchSize", "MaximumBatchingWindowInSeconds",
    "ParallelizationFactor", "FilterCriteria", "KMSKeyArn", "MetricsConfig", "LoggingConfig", "ScalingConfig",
    "DestinationConfig", "Topics", "Queues", "SourceAccessConfigurations", "SelfManagedEventSource",
    "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds",
    "FunctionResponseTypes", "AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig", "ProvisionedPollerConfig",
  ]

  func write(to w: inout MemberWriter) {
    w.member("UUID", key.name)
    w.member("EventSourceArn", sourceARN)
    w.member("EventSourceMappingArn", arn)
    w.member("FunctionArn", functionARN)
    w.member("LastModified", Double(lastModified.milliseconds) / 1000)
    // Of queues AWS shows no result. Other sources are not polled yet, so this is true of each of them.
    w.member("LastProcessingResult", source.isQueue ? problem : "No records processed")
    w.member("State", state.rawValue)
    w.member("StateTransitionReason", source.userReason)
    for name in EventSourceMapping.names { w.member(name, settings[name]) }
  }

  // MARK: - In the database

  package static let kind = "event-source-mapping"

  package var document: String {
    JSONValue.members(
      ("Source", .string(source.rawValue)), ("SourceArn", sourceARN.map { .string($0) }),
      ("FunctionArn", .string(functionARN)), ("Enabled", .bool(isEnabled)), ("State", .string(state.rawValue)),
      ("LastModified", .integer(lastModified.nanoseconds)),
      ("Settings", .object(settings.map { .init($0.key, $0.value) })),
      ("Tags", .object(tags.map { .init($0.key, .string($0.value)) }))
    ).text
  }
}

extension EventSourceMapping {
  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let members = json["Settings"]?.members,
      let source = json["Source"]?.string.flatMap({ EventSource(rawValue: $0) }),
      let function = json["FunctionArn"]?.string, let isEnabled = json["Enabled"]?.bool,
      let state = json["State"]?.string.flatMap({ State(rawValue: $0) }), let modified = json["LastModified"]?.integer
    else { throw Fault("read event source mappings", "\(key.name) is damaged: \(document.prefix(200))") }
    self.init(
      key: key, source: source, sourceARN: json["SourceArn"]?.string, functionARN: function, isEnabled: isEnabled,
      state: state, lastModified: Timestamp(nanoseconds: Int64(modified)),
      settings: Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
      tags: (json["Tags"]?.members ?? []).map { ($0.name, $0.value.string ?? "") })
  }
}

/// A mapping as operations answer it.
struct EventSourceMappingAnswer: Writable, Sendable {
  let mapping: EventSourceMapping

  func write(to w: inout Writer) {
    w.body { mapping.write(to: &$0) }
  }
}

extension LambdaService {
  /// A mapping with what is known of its work.
  func shown(_ mapping: EventSourceMapping) -> EventSourceMapping {
    var shown = mapping
    shown.problem = mapping.source.isQueue ? pollers.find(mapping.key)?.problem : nil
    return shown
  }
}

extension Reader {
  /// Reads the path's `UUID`; what is wrong with it is recorded.
  func mappingUUID() -> String { path("UUID", .length(36, 36)) }
}

extension LambdaService {
  func mappingKey(_ uuid: String, _ call: Call) -> ResourceKey {
    ResourceKey(place: call.place, name: EventSourceMapping.name(uuid))
  }

  /// The ARN that a mapping shows of the function that a request names, which must be there.
  /// - Parameter name: nil only if the reader has recorded a violation, after which no operation is answered.
  func mappedFunction(_ name: FunctionNameParts?, _ call: Call) throws(AWSError) -> String {
    let reference = try self.reference(name, qualifier: nil, call)
    do throws(AWSError) {
      return try find(name, qualifier: nil, call).reference.arn
    } catch {
      throw functions.find(reference.key) == nil || error.status == 404 ? .mappedFunctionMissing() : error
    }
  }
}
