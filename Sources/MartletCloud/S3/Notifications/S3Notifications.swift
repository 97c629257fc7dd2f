// Who is told of what happens in a bucket: the configuration, its rules, and which of them an event fits.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
import MartletCore
import MartletWire

struct S3Notifications: Sendable, Equatable {
  enum Service: String, Sendable {
    case lambda, sqs, sns

    /// The element of a configuration, and the one with the ARN in it.
    var element: (configuration: String, arn: String) {
      switch self {
      case .lambda: ("CloudFunctionConfiguration", "CloudFunction")
      case .sqs: ("QueueConfiguration", "Queue")
      case .sns: ("TopicConfiguration", "Topic")
      }
    }
  }

  struct Rule: Sendable, Equatable {
    let id: String
    let service: Service
    let arn: String
    /// `s3:ObjectCreated:*` …
    let events: [String]
    var prefix = ""
    var suffix = ""
    var hasFilter = false
  }

  let rules: [Rule]
  /// Every event goes to the default bus, too.
  let hasEventBridge: Bool

  private static let mostRules = 100

  /// - Parameter document: one that satisfies the schema, and whose rules have ids.
  init(_ document: XMLElement) {
    hasEventBridge = document.child("EventBridgeConfiguration") != nil
    rules = [Service.sns, .sqs, .lambda].flatMap { service in
      document.children(service.element.configuration).map { Rule($0, service) }
    }
  }

  /// The rules that want to hear of an event.
  /// - Parameter event: `ObjectCreated:Put` …
  func rules(for event: String, key: String) -> [Rule] {
    rules.filter { rule in
      key.utf8.starts(with: rule.prefix.utf8) && key.utf8.reversed().starts(with: rule.suffix.utf8.reversed())
        && rule.events.contains { Wildcard.matches($0, "s3:\(event)") }
    }
  }
}

extension S3Notifications.Rule {
  init(_ element: XMLElement, _ service: S3Notifications.Service) {
    self.init(
      id: element["Id"] ?? "", service: service, arn: element[service.element.arn] ?? "",
      events: element.children("Event").map(\.text))
    let filters = element.child("Filter")?.child("S3Key")?.children ?? []
    hasFilter = !filters.isEmpty
    for filter in filters {
      switch filter["Name"]?.lowercased() {
      case "prefix": prefix = filter["Value"] ?? ""
      case "suffix": suffix = filter["Value"] ?? ""
      default: break
      }
    }
  }

  /// Some event of some object would fit both.
  func overlaps(_ other: S3Notifications.Rule) -> Bool {
    let sharesEvent = events.contains { event in
      other.events.contains { Wildcard.matches($0, event) || Wildcard.matches(event, $0) }
    }
    func begins(_ one: some Sequence<UInt8>, _ two: some Sequence<UInt8>) -> Bool {
      zip(one, two).allSatisfy { $0 == $1 }
    }
    return sharesEvent && begins(prefix.utf8, other.prefix.utf8)
      && begins(suffix.utf8.reversed(), other.suffix.utf8.reversed())
  }
}

// MARK: - What AWS refuses

extension S3Notifications {
  /// Why the configuration is refused before any destination is asked; nil if it is not.
  /// - Parameter document: what the configuration was read from.
  func refusal(_ document: XMLElement, in bucket: S3Bucket) -> AWSError? {
    guard rules.count <= S3Notifications.mostRules else {
      return .s3Invalid("The number of notification configurations exceeds the limit of \(S3Notifications.mostRules)")
    }
    for rule in rules {
      if let refusal = refusal(of: rule, in: bucket) { return refusal }
    }
    for element in document.children { if let refusal = S3Notifications.refusal(ofFilter: element) { return refusal } }
    if let twice = rules.map(\.id).first(where: { id in rules.count { $0.id == id } > 1 }) {
      return .invalidArgument(
        "Same ID used for multiple configurations. IDs must be unique", name: "Id", value: twice)
    }
    for (i, rule) in rules.enumerated() {
      for other in rules[(i + 1)...] where rule.overlaps(other) {
        return .s3Invalid(
          rule.hasFilter || other.hasFilter
            ? "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
              + "overlapping for the same event type."
            : "Configurations overlap. Configurations on the same bucket cannot share a common event type.")
      }
    }
    return nil
  }

  private func refusal(of rule: Rule, in bucket: S3Bucket) -> AWSError? {
    let name = rule.service.element.arn
    guard rule.id.utf8.count <= 255 else {
      return .invalidArgument("ID length should not exceed allowed limit of 255", name: "Id", value: rule.id)
    }
    guard case .choice(let known) = S3Schema.event, !rule.events.contains(where: { !known.contains($0) }) else {
      return .invalidArgument(
        "The event is not supported for notifications", name: "Event", value: rule.events.joined(separator: ","))
    }
    guard let arn = ARN(rule.arn), arn.service == rule.service.rawValue, Account(arn.account) != nil,
      let region = Region(arn.region)
    else { return .invalidArgument("The ARN is not well formed", name: name, value: rule.arn) }
    guard region == bucket.place.region else {
      return .invalidArgument(
        "The notification destination service region is not valid for the bucket location constraint", name: name,
        value: rule.arn)
    }
    if arn.resource.hasSuffix(".fifo"), rule.service != .lambda {
      return .invalidArgument(
        rule.service == .sqs ? "FIFO SQS queues are not supported." : "FIFO SNS topics are not supported.",
        name: name, value: rule.arn)
    }
    return nil
  }

  private static func refusal(ofFilter configuration: XMLElement) -> AWSError? {
    let filters = configuration.child("Filter")?.child("S3Key")?.children ?? []
    for filter in filters {
      let name = filter["Name"] ?? ""
      guard ["prefix", "suffix"].contains(name.lowercased()) else {
        return .invalidArgument(
          "filter rule name must be either prefix or suffix", name: "FilterRule.Name", value: name)
      }
      guard filter["Value"] != nil else { return .malformedXML() }
      if filters.count(where: { $0["Name"]?.lowercased() == name.lowercased() }) > 1 {
        return .invalidArgument(
          "Cannot specify more than one \(name.lowercased()) rule in a filter.", name: "FilterRule.Name", value: name)
      }
      if let value = filter["Value"], value.utf8.count > 1024 {
        return .invalidArgument(
          "filter rule value cannot exceed 1024 characters", name: "FilterRule.Value", value: value)
      }
    }
    return nil
  }

  /// The document as it is shown: filters' names have capitals, whoever wrote them.
  static func shown(_ element: XMLElement) -> XMLElement {
    var copy = element
    copy.children = element.children.map { child in
      guard element.name == "FilterRule", child.name == "Name" else { return shown(child) }
      return XMLElement("Name", text: child.text.lowercased() == "prefix" ? "Prefix" : "Suffix")
    }
    return copy
  }
}

extension AWSError {
  static func s3Invalid(_ message: String) -> AWSError { AWSError("InvalidArgument", status: 400, message) }

  /// Destinations that cannot be told, each with the reason.
  static func destinationsInvalid(_ problems: [(arn: String, reason: String)]) -> AWSError {
    var error = s3Invalid("Unable to validate the following destination configurations")
    for (i, problem) in problems.enumerated() {
      error.members.append(("ArgumentName\(i + 1)", problem.arn))
      error.members.append(("ArgumentValue\(i + 1)", problem.reason))
    }
    return error
  }
}
