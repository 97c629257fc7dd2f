// Which events a trail takes: the selectors of a trail, plain and advanced. Pure.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
import MartletCore
import MartletWire

struct EventSelector: Sendable, Equatable {
  struct Data: Sendable, Equatable {
    let type: String
    let values: [String]
  }

  var reads = true
  var writes = true
  var management = true
  var data: [Data] = []
  var excluded: [String] = []

  /// What a trail has that was told nothing else.
  static let standard = EventSelector()

  var readWriteType: String { reads && writes ? "All" : reads ? "ReadOnly" : "WriteOnly" }

  /// The resources whose data events can be asked for, and how the ARN of all of them begins.
  static let dataTypes = [
    "AWS::DynamoDB::Table": "arn:aws:dynamodb", "AWS::Lambda::Function": "arn:aws:lambda",
    "AWS::S3::Object": "arn:aws:s3",
  ]

  func selects(_ record: AuditRecord) -> Bool {
    guard record.isReadOnly ? reads : writes else { return false }
    if !record.isData { return management && !excluded.contains(record.source) }
    return data.contains { data in
      record.resources.contains { resource in
        guard resource.type == data.type else { return false }
        return data.values.contains { value in
          if value == EventSelector.dataTypes[data.type] { return true }
          // Of objects the beginning is enough; `arn:aws:s3:::` means all buckets.
          return data.type == "AWS::S3::Object" ? resource.name.hasPrefix(value) : resource.name == value
        }
      }
    }
  }

  func wants(_ kind: AuditClass) -> Bool {
    switch kind {
    case .management: management
    case .functions: data.contains { $0.type == "AWS::Lambda::Function" }
    case .objects: data.contains { $0.type == "AWS::S3::Object" }
    case .unrecorded: false
    }
  }
}

extension EventSelector {
  init(_ m: Members) {
    let type = m.string("ReadWriteType", .oneOf(["ReadOnly", "WriteOnly", "All"])) ?? "All"
    (reads, writes) = (type != "WriteOnly", type != "ReadOnly")
    management = m.bool("IncludeManagementEvents") ?? true
    data = (m.objects("DataResources") ?? []).map {
      Data(type: $0.string("Type") ?? "", values: $0.strings("Values") ?? [])
    }
    excluded = m.strings("ExcludeManagementEventSources") ?? []
  }

  init(_ json: JSONValue) {
    let type = json["type"]?.string
    (reads, writes) = (type != "WriteOnly", type != "ReadOnly")
    management = json["management"]?.bool ?? true
    data = (json["data"]?.array ?? []).map {
      Data(type: $0["type"]?.string ?? "", values: ($0["values"]?.array ?? []).compactMap(\.string))
    }
    excluded = (json["excluded"]?.array ?? []).compactMap(\.string)
  }

  var json: JSONValue {
    .members(
      ("type", .string(readWriteType)), ("management", .bool(management)),
      (
        "data",
        .array(
          data.map { .members(("type", .string($0.type)), ("values", .array($0.values.map { .string($0) }))) })
      ), ("excluded", .array(excluded.map { .string($0) })))
  }

  func write(to w: inout MemberWriter) {
    w.member("ReadWriteType", readWriteType)
    w.member("IncludeManagementEvents", management)
    w.list("DataResources", data) { w, data in
      w.member("Type", data.type)
      w.member("Values", data.values)
    }
    w.member("ExcludeManagementEventSources", excluded)
  }
}

/// All of its conditions must hold.
struct AdvancedEventSelector: Sendable, Equatable {
  struct Condition: Sendable, Equatable {
    let field: String
    /// `Equals` and the like, with what they are compared to.
    let tests: [Test]
  }

  struct Test: Sendable, Equatable {
    let comparison: String
    let values: [String]
  }

  static let comparisons = ["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"]
  static let fields: Set<String> = [
    "eventCategory", "eventName", "eventSource", "eventType", "errorCode", "readOnly", "resources.ARN",
    "resources.type", "sessionCredentialFromConsole", "userIdentity.arn", "vpcEndpointId",
  ]

  let name: String?
  let conditions: [Condition]

  private static func holds(_ test: Test, _ text: String) -> Bool {
    func any(_ holds: (String) -> Bool) -> Bool { test.values.contains(where: holds) }
    return switch test.comparison {
    case "Equals": any { $0 == text }
    case "StartsWith": any { text.hasPrefix($0) }
    case "EndsWith": any { text.hasSuffix($0) }
    case "NotEquals": !any { $0 == text }
    case "NotStartsWith": !any { text.hasPrefix($0) }
    default: !any { text.hasSuffix($0) }
    }
  }

  func selects(_ record: AuditRecord) -> Bool {
    conditions.allSatisfy { condition in
      let texts: [String]
      switch condition.field {
      case "eventCategory": texts = [record.isData ? "Data" : "Management"]
      case "eventName": texts = [record.name]
      case "eventSource": texts = [record.source]
      case "eventType": texts = ["AwsApiCall"]
      case "errorCode": texts = [record.document["errorCode"]?.string ?? ""]
      case "readOnly": texts = [record.isReadOnly ? "true" : "false"]
      case "resources.ARN": texts = record.resources.prefix(1).map(\.name)
      case "resources.type": texts = record.resources.prefix(1).map(\.type)
      case "userIdentity.arn": texts = [record.userARN ?? ""]
      default: texts = [""]
      }
      return condition.tests.allSatisfy { test in texts.contains { AdvancedEventSelector.holds(test, $0) } }
    }
  }

  /// False if no event of the kind can be meant.
  func wants(_ kind: AuditClass) -> Bool {
    let category = kind == .management ? "Management" : "Data"
    let type = kind == .functions ? "AWS::Lambda::Function" : "AWS::S3::Object"
    return kind != .unrecorded
      && conditions.allSatisfy { condition in
        let text = condition.field == "eventCategory" ? category : condition.field == "resources.type" ? type : nil
        guard let text else { return true }
        return condition.tests.allSatisfy { AdvancedEventSelector.holds($0, text) }
      }
  }
}

extension AdvancedEventSelector {
  init(_ m: Members) {
    name = m.string("Name", .length(0, 1000), .pattern(AdvancedEventSelector.anything))
    conditions = m.requiredObjects("FieldSelectors", count: 1...Int.max).map { field in
      Condition(
        field: field.required("Field", .length(1, 1000), .pattern(AdvancedEventSelector.fieldPattern)),
        tests: AdvancedEventSelector.comparisons.compactMap { comparison in
          field.strings(
            comparison, count: 1...Int.max, each: [.length(1, 2048), .pattern(AdvancedEventSelector.something)]
          ).map { Test(comparison: comparison, values: $0) }
        })
    }
  }

  private static let anything = Pattern(".*")
  private static let something = Pattern(".+")
  private static let fieldPattern = Pattern(#"[\w|\d|\.|_]+"#)

  init(_ json: JSONValue) {
    name = json["name"]?.string
    conditions = (json["conditions"]?.array ?? []).map { condition in
      Condition(
        field: condition["field"]?.string ?? "",
        tests: (condition["tests"]?.members ?? []).map {
          Test(comparison: $0.name, values: ($0.value.array ?? []).compactMap(\.string))
        })
    }
  }

  var json: JSONValue {
    .members(
      ("name", name.map { .string($0) }),
      (
        "conditions",
        .array(
          conditions.map { condition in
            .members(
              ("field", .string(condition.field)),
              (
                "tests",
                .object(condition.tests.map { .init($0.comparison, .array($0.values.map { .string($0) })) })
              ))
          })
      ))
  }

  func write(to w: inout MemberWriter) {
    w.member("Name", name)
    w.list("FieldSelectors", conditions) { w, condition in
      w.member("Field", condition.field)
      for test in condition.tests { w.member(test.comparison, test.values) }
    }
  }
}
