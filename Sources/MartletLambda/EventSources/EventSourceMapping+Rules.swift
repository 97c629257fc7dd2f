// What the service model cannot say of an event source mapping: which settings a source allows, and which together.
// reference/api-validation.md 3.14, reference/event-source-mappings.md 4.1
import MartletCore
import MartletWire

extension EventSourceMapping {
  /// Refuses what a request says if mappings of the source cannot be told it.
  /// - Parameter given: the settings of the request.
  static func check(_ given: [String: JSONValue], of source: EventSource) throws(AWSError) {
    let allowed = source.settings.union(EventSource.common)
    if source.isQueue, given["StartingPosition"] != nil { throw .startingPositionOfQueue() }
    for name in given.keys.sorted() where !allowed.contains(name) {
      if name == "DestinationConfig", given[name]?["OnSuccess"] == nil, given[name]?["OnFailure"] == nil { continue }
      throw .settingUnsupported(name)
    }
    if given["DestinationConfig"]?["OnSuccess"]?["Destination"] != nil {
      throw .settingUnsupported("DestinationConfig")
    }
    if source == .fifoQueue, (given["MaximumBatchingWindowInSeconds"]?.integer ?? 0) > 0 {
      throw .batchingWindowOfFIFO()
    }
    if !source.isKafka {
      let metrics = given["MetricsConfig"]?["Metrics"]?.array?.compactMap(\.string) ?? []
      if metrics.contains(where: { $0 != "EventCount" }) { throw .settingUnsupported("MetricsConfig") }
    }
    try checkFilters(given["FilterCriteria"])
  }

  private static let filterLimit = 5

  private static func checkFilters(_ criteria: JSONValue?) throws(AWSError) {
    guard let filters = criteria?["Filters"]?.array else { return }
    guard filters.count <= filterLimit else { throw .tooManyFilters(filterLimit) }
    for filter in filters {
      guard let pattern = filter["Pattern"]?.string, (try? EventPattern(pattern, .filters)) != nil else {
        throw .filterPatternInvalid()
      }
    }
  }

  /// Refuses settings that do not go together.
  /// - Parameter arn: of the source.
  static func check(all settings: [String: JSONValue], of source: EventSource, _ arn: String?) throws(AWSError) {
    let batch = settings["BatchSize"]?.integer ?? source.batchSize
    let window = settings["MaximumBatchingWindowInSeconds"]?.integer ?? 0
    if source == .fifoQueue, batch > 10 { throw .batchSizeOfFIFO(batch) }
    if source.isQueue, batch > 10, window == 0 { throw .batchingWindowMissing() }
    if let age = settings["MaximumRecordAgeInSeconds"]?.integer, (0..<60).contains(age) { throw .recordAgeInvalid(age) }
    try checkPosition(settings, source, arn)
    if let tumbling = settings["TumblingWindowInSeconds"]?.integer, tumbling > 0,
      (settings["ParallelizationFactor"]?.integer ?? 1) > 1
    {
      throw .tumblingWindowNotParallel()
    }
    if let pollers = settings["ProvisionedPollerConfig"] {
      if settings["ScalingConfig"]?["MaximumConcurrency"] != nil { throw .scalingOfProvisionedPollers() }
      let least = source.isQueue ? 2 : 1
      let minimum = pollers["MinimumPollers"]?.integer ?? least
      let maximum = pollers["MaximumPollers"]?.integer ?? 10_000
      guard minimum >= least, maximum >= max(minimum, least) else { throw .pollersInvalid(least) }
    }
    try checkRequired(settings, source)
  }

  private static func checkPosition(
    _ settings: [String: JSONValue], _ source: EventSource, _ arn: String?
  ) throws(AWSError) {
    let position = settings["StartingPosition"]?.string
    if position == nil, source.isStream || source == .documentDB { throw .startingPositionMissing() }
    if position == "AT_TIMESTAMP", source == .dynamoDB { throw .startingPositionUnsupported(arn ?? "") }
    if position == "AT_TIMESTAMP", settings["StartingPositionTimestamp"] == nil {
      throw .settingMissing("startingPositionTimestamp")
    }
    if position != "AT_TIMESTAMP", settings["StartingPositionTimestamp"] != nil { throw .positionTimestampUnused() }
  }

  private static func checkRequired(_ settings: [String: JSONValue], _ source: EventSource) throws(AWSError) {
    var names: [String] = []
    switch source {
    case .managedKafka: names = ["Topics"]
    case .selfManagedKafka: names = ["SourceAccessConfigurations", "Topics"]
    case .mq: names = ["SourceAccessConfigurations", "Queues"]
    case .documentDB: names = ["SourceAccessConfigurations", "DocumentDBEventSourceConfig"]
    default: break
    }
    for name in names where settings[name]?.array?.isEmpty ?? (settings[name] == nil) {
      throw .settingMissing(Reader.lowerCamel(name))
    }
    if source == .documentDB, settings["DocumentDBEventSourceConfig"]?["DatabaseName"] == nil {
      throw .settingMissing("documentDBEventSourceConfig.databaseName")
    }
    let endpoints = settings["SelfManagedEventSource"]?["Endpoints"]?["KAFKA_BOOTSTRAP_SERVERS"]
    if source == .selfManagedKafka, endpoints?.array?.isEmpty ?? true {
      throw .settingMissing("selfManagedEventSource.endpoints")
    }
  }

  /// Lays what a request says over what there was.
  mutating func apply(_ given: [String: JSONValue]) {
    for (name, value) in given {
      switch name {
      case "FilterCriteria" where value["Filters"]?.array?.isEmpty ?? true,
        "KMSKeyArn" where value.string?.isEmpty == true,
        "MetricsConfig" where value["Metrics"]?.array?.isEmpty ?? true,
        "ScalingConfig" where value["MaximumConcurrency"] == nil,
        "ProvisionedPollerConfig" where value.members?.isEmpty == true,
        "LoggingConfig" where value.members?.isEmpty == true:
        settings[name] = nil
      case "DestinationConfig":
        guard source.settings.contains(name) else { continue }
        let target = value["OnFailure"]?["Destination"]?.string
        let isNone = target?.isEmpty ?? true
        settings[name] = .members(
          ("OnFailure", .members(("Destination", isNone ? nil : target.map { .string($0) }))))
      case "AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig":
        // The consumer group stays if it is not named.
        let group = value["ConsumerGroupId"] ?? settings[name]?["ConsumerGroupId"]
        let others = (value.members ?? []).filter { $0.name != "ConsumerGroupId" }
        settings[name] = .object((group.map { [.init("ConsumerGroupId", $0)] } ?? []) + others)
      default: settings[name] = value
      }
    }
  }

  /// What keeps two mappings from being there at the same time: they read the same for the same function.
  func isDuplicate(of other: EventSourceMapping) -> Bool {
    key != other.key && source == other.source && other.state != .deleting && functionARN == other.functionARN
      && sourceARN == other.sourceARN && settings["Topics"] == other.settings["Topics"]
      && settings["Queues"] == other.settings["Queues"]
      && settings["SelfManagedEventSource"] == other.settings["SelfManagedEventSource"]
      && settings["DocumentDBEventSourceConfig"] == other.settings["DocumentDBEventSourceConfig"]
  }

  /// The refusal of this mapping because `other` is there already.
  func duplicateError(_ other: EventSourceMapping) -> AWSError {
    let uuid = other.key.name
    let function = functionARN.split(separator: ":").dropFirst(6).joined(separator: ":")
    if source.isQueue {
      return .mappingExists(
        "An event source mapping with SQS arn (\" \(sourceARN ?? "") \") and function (\" \(function) \")", uuid)
    }
    guard source.isKafka else {
      return .mappingExists(
        "The event source arn (\" \(sourceARN ?? "") \") and function (\" \(function) \") provided mapping", uuid)
    }
    let servers = settings["SelfManagedEventSource"]?["Endpoints"]?["KAFKA_BOOTSTRAP_SERVERS"]?.array ?? []
    let from = sourceARN ?? servers.compactMap(\.string).joined(separator: ",")
    let topics = (settings["Topics"]?.array ?? []).compactMap(\.string).joined(separator: ",")
    return .mappingExists(
      "An event source mapping with event source (\"\(from)\"), function (\"\(functionARN)\"), topics (\"\(topics)\")",
      uuid)
  }
}
