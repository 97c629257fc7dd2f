// What requests say of an event source mapping: read member by member, kept under the names that answers show.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
import MartletCore
import MartletWire

enum EventSourceMappingSettings {
  static let sourcePattern = Pattern(
    #"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"#
  )
  private static let destinationPattern = Pattern(
    #"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"#
  )
  private static let topicPattern = Pattern(#"[^.]([a-zA-Z0-9\-_.]+)"#)
  private static let anyPattern = Pattern(#"[\s\S]*"#)
  private static let uriPattern = Pattern(#"[ a-zA-Z0-9-\/*:_+=.@-]*"#)
  private static let registryPattern = Pattern(#"[a-zA-Z0-9-\/*:_+=.@-]*"#)
  private static let endpointPattern = Pattern(
    #"(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9]):[0-9]{1,5}"#
  )
  private static let databasePattern = Pattern(#"[^ /\.$\x22]*"#)
  private static let collectionPattern = Pattern(#"(^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*)"#)
  private static let groupPattern = Pattern(#"[a-zA-Z0-9-_]*"#)
  private static let accessTypes = [
    "BASIC_AUTH", "VPC_SUBNET", "VPC_SECURITY_GROUP", "SASL_SCRAM_512_AUTH", "SASL_SCRAM_256_AUTH", "VIRTUAL_HOST",
    "CLIENT_CERTIFICATE_TLS_AUTH", "SERVER_ROOT_CA_CERTIFICATE", "OAUTHBEARER_AUTH", "OAUTHBEARER_SCOPE",
    "OAUTHBEARER_AUDIENCE", "OAUTHBEARER_LOGICAL_CLUSTER", "OAUTHBEARER_IDENTITY_POOL", "IAM_AUTH",
    "IAM_OAUTHBEARER_AUTH",
  ]

  /// What only a new mapping can be told.
  static func create(_ m: Members) -> [String: JSONValue] {
    var settings = update(m)
    settings["StartingPosition"] = text(m, "StartingPosition", .oneOf(["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"]))
    settings["StartingPositionTimestamp"] = m.moment("StartingPositionTimestamp").map { .double($0) }
    settings["Topics"] = texts(
      m.strings("Topics", count: 1...1, each: [.length(1, 249), .pattern(topicPattern)]))
    settings["Queues"] = texts(m.strings("Queues", count: 1...1, each: [.length(1, 1000), .pattern(anyPattern)]))
    settings["SelfManagedEventSource"] = m.object("SelfManagedEventSource").map { object in
      let endpoints = object.lists(
        "Endpoints", count: 1...2, keys: [.oneOf(["KAFKA_BOOTSTRAP_SERVERS"])], lengths: 1...10,
        each: [.length(1, 300), .pattern(endpointPattern)])
      return .members(
        ("Endpoints", endpoints.map { .object($0.map { .init($0.key, .array($0.value.map { .string($0) })) }) }))
    }
    return settings
  }

  /// What any mapping can be told.
  static func update(_ m: Members) -> [String: JSONValue] {
    var settings: [String: JSONValue] = [:]
    for (name, range) in [
      ("BatchSize", 1...10_000), ("MaximumBatchingWindowInSeconds", 0...300), ("ParallelizationFactor", 1...10),
      ("MaximumRecordAgeInSeconds", -1...604_800), ("MaximumRetryAttempts", -1...10_000),
      ("TumblingWindowInSeconds", 0...900),
    ] { settings[name] = integer(m, name, range) }
    settings["BisectBatchOnFunctionError"] = m.bool("BisectBatchOnFunctionError").map { .bool($0) }
    settings["FilterCriteria"] = m.object("FilterCriteria").map { object in
      let filters = object.objects("Filters")?.map { filter in
        JSONValue.members(("Pattern", text(filter, "Pattern", .length(0, 4096), .pattern(anyPattern))))
      }
      return .members(("Filters", .array(filters ?? [])))
    }
    settings["KMSKeyArn"] = text(m, "KMSKeyArn", .length(0, 10_000), .pattern(FunctionSettings.resourcePattern))
    settings["MetricsConfig"] = m.object("MetricsConfig").map { object in
      let metrics = object.strings(
        "Metrics", count: 0...3, each: [.oneOf(["EventCount", "ErrorCount", "KafkaMetrics"])])
      return .members(("Metrics", texts(metrics ?? [])))
    }
    settings["LoggingConfig"] = m.object("LoggingConfig").map { object in
      .members(("SystemLogLevel", text(object, "SystemLogLevel", .oneOf(["DEBUG", "INFO", "WARN"]))))
    }
    settings["ScalingConfig"] = m.object("ScalingConfig").map { object in
      .members(("MaximumConcurrency", integer(object, "MaximumConcurrency", 2...1000)))
    }
    settings["DestinationConfig"] = m.object("DestinationConfig").map { object in
      .members(("OnSuccess", destination(object, "OnSuccess")), ("OnFailure", destination(object, "OnFailure")))
    }
    settings["SourceAccessConfigurations"] = m.objects("SourceAccessConfigurations", count: 0...23).map { list in
      .array(
        list.map { access in
          .members(
            ("Type", text(access, "Type", .oneOf(accessTypes))),
            ("URI", text(access, "URI", .length(1, 200), .pattern(uriPattern))))
        })
    }
    settings["FunctionResponseTypes"] = texts(
      m.strings("FunctionResponseTypes", count: 0...1, each: [.oneOf(["ReportBatchItemFailures"])]))
    for name in ["AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"] {
      settings[name] = m.object(name).map { kafka($0, isSelfManaged: name.hasPrefix("Self")) }
    }
    settings["DocumentDBEventSourceConfig"] = m.object("DocumentDBEventSourceConfig").map { object in
      .members(
        ("DatabaseName", text(object, "DatabaseName", .length(1, 63), .pattern(databasePattern))),
        ("CollectionName", text(object, "CollectionName", .length(1, 57), .pattern(collectionPattern))),
        ("FullDocument", text(object, "FullDocument", .oneOf(["UpdateLookup", "Default"]))))
    }
    settings["ProvisionedPollerConfig"] = m.object("ProvisionedPollerConfig").map { object in
      .members(
        ("MinimumPollers", integer(object, "MinimumPollers", 1...200)),
        ("MaximumPollers", integer(object, "MaximumPollers", 1...10_000)),
        ("PollerGroupName", text(object, "PollerGroupName", .length(0, 128), .pattern(groupPattern))))
    }
    return settings
  }

  private static func kafka(_ m: Members, isSelfManaged: Bool) -> JSONValue {
    .members(
      ("ConsumerGroupId", text(m, "ConsumerGroupId", .length(1, 200), .pattern(uriPattern))),
      ("SchemaRegistryConfig", m.object("SchemaRegistryConfig").map(registry)),
      ("ConsumptionMode", isSelfManaged ? text(m, "ConsumptionMode", .oneOf(["Stream", "Queue"])) : nil))
  }

  private static func registry(_ m: Members) -> JSONValue {
    let types = ["BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH", "SERVER_ROOT_CA_CERTIFICATE", "OAUTHBEARER_AUTH"]
    let access = m.objects("AccessConfigs")?.map { object in
      JSONValue.members(
        ("Type", text(object, "Type", .oneOf(types))),
        ("URI", text(object, "URI", .length(0, 10_000), .pattern(sourcePattern))))
    }
    let validation = m.objects("SchemaValidationConfigs")?.map { object in
      JSONValue.members(("Attribute", text(object, "Attribute", .oneOf(["KEY", "VALUE"]))))
    }
    return .members(
      ("SchemaRegistryURI", text(m, "SchemaRegistryURI", .length(1, 10_000), .pattern(registryPattern))),
      ("EventRecordFormat", text(m, "EventRecordFormat", .oneOf(["JSON", "SOURCE"]))),
      ("AccessConfigs", access.map { .array($0) }), ("SchemaValidationConfigs", validation.map { .array($0) }))
  }

  private static func destination(_ m: Members, _ name: String) -> JSONValue? {
    m.object(name).map { object in
      .members(("Destination", text(object, "Destination", .length(0, 350), .pattern(destinationPattern))))
    }
  }

  private static func text(_ m: Members, _ name: String, _ a: Constraint) -> JSONValue? {
    m.string(name, a).map { .string($0) }
  }

  private static func text(_ m: Members, _ name: String, _ a: Constraint, _ b: Constraint) -> JSONValue? {
    m.string(name, a, b).map { .string($0) }
  }

  private static func texts(_ list: [String]?) -> JSONValue? { list.map { .array($0.map { .string($0) }) } }

  private static func integer(_ m: Members, _ name: String, _ range: ClosedRange<Int>) -> JSONValue? {
    m.integer(name, in: range).map { .integer(Int64($0)) }
  }
}
