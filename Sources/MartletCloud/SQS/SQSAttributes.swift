// The attributes of queues: which there are, what they may be, what they are if nobody set them.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
import MartletCore
import MartletWire

enum SQSAttributes {
  struct Number: Sendable {
    let range: ClosedRange<Int>
    let standard: Int
  }

  static let numbers: [String: Number] = [
    "DelaySeconds": .init(range: 0...900, standard: 0),
    "MaximumMessageSize": .init(range: 1024...1_048_576, standard: 1_048_576),
    "MessageRetentionPeriod": .init(range: 60...1_209_600, standard: 345_600),
    "ReceiveMessageWaitTimeSeconds": .init(range: 0...20, standard: 0),
    "VisibilityTimeout": .init(range: 0...43_200, standard: 30),
    "KmsDataKeyReusePeriodSeconds": .init(range: 60...86_400, standard: 300),
  ]

  /// Those of FIFO queues.
  private static let choices: [String: [String]] = [
    "FifoQueue": ["true"], "ContentBasedDeduplication": ["true", "false"],
    "DeduplicationScope": ["messageGroup", "queue"], "FifoThroughputLimit": ["perQueue", "perMessageGroupId"],
  ]

  /// Those that an empty value removes.
  private static let removable: Set<String> = ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"]

  /// Characters of a key's name or ARN.
  private static let longestKey = 2048

  /// What SetQueueAttributes and CreateQueue are given, checked as far as that is possible without other queues.
  static func check(_ attributes: [(key: String, value: String)], isFIFO: Bool) throws(AWSError) {
    for (name, value) in attributes {
      if let number = numbers[name] {
        guard let given = Int(value), number.range.contains(given) else { throw .sqsInvalidAttribute(name) }
      } else if let allowed = choices[name] {
        guard isFIFO else { throw .sqsUnknownAttribute(name) }
        guard allowed.contains(value) else { throw .sqsInvalidAttribute(name) }
      } else if name == "SqsManagedSseEnabled" {
        guard Bool(value) != nil else { throw .sqsInvalidAttribute(name) }
      } else if removable.contains(name) {
        guard !value.isEmpty else { continue }
        try checkText(name, value)
      } else {
        throw .sqsUnknownAttribute(name)
      }
    }
  }

  private static func checkText(_ name: String, _ value: String) throws(AWSError) {
    switch name {
    case "Policy":
      guard let policy = try? JSONValue(parsing: value), policy.members != nil else {
        throw .sqsInvalidAttribute("Policy")
      }
    case "RedrivePolicy": _ = try RedrivePolicy(value)
    case "RedriveAllowPolicy": _ = try RedriveAllowPolicy(value)
    default: guard value.utf8.count <= longestKey else { throw .sqsInvalidAttribute(name) }
    }
  }

  /// What throughput per group needs.
  static func checkTogether(_ attributes: [String: String]) throws(AWSError) {
    guard attributes["FifoThroughputLimit"] != "perMessageGroupId" || attributes["DeduplicationScope"] == "messageGroup"
    else {
      throw .sqsInvalid(
        "perMessageGroupId", for: "FifoThroughputLimit",
        "FifoThroughputLimit can be set to perMessageGroupId only when DeduplicationScope is set to messageGroup.")
    }
    guard attributes["KmsMasterKeyId"] == nil || attributes["SqsManagedSseEnabled"] != "true" else {
      throw .sqsInvalid(
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
    }
  }

  /// Puts new values into place.
  static func merge(_ new: [(key: String, value: String)], into attributes: inout [String: String]) {
    for (name, value) in new {
      attributes[name] = value.isEmpty && removable.contains(name) ? nil : value
      // Only one of the two encrypts.
      if name == "KmsMasterKeyId", !value.isEmpty { attributes["SqsManagedSseEnabled"] = nil }
    }
  }
}

/// Which queues may use a queue as their dead-letter queue.
struct RedriveAllowPolicy: Equatable, Sendable {
  /// nil = all.
  let sources: [String]?

  init(_ text: String) throws(AWSError) {
    func refusal(_ reason: String) -> AWSError { .sqsInvalid(text, for: "RedriveAllowPolicy", reason) }
    guard let json = try? JSONValue(parsing: text), json.members != nil else {
      throw refusal("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
    }
    let arns = json["sourceQueueArns"]?.array?.compactMap(\.string)
    switch json["redrivePermission"]?.string {
    case "allowAll" where arns == nil: sources = nil
    case "denyAll" where arns == nil: sources = []
    case "byQueue":
      guard let arns, (1...10).contains(arns.count), arns.allSatisfy({ SQS.QueueReference(arn: $0) != nil }) else {
        throw refusal("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
      }
      sources = arns
    default: throw refusal("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
    }
  }

  func allows(_ source: String) -> Bool { sources?.contains(source) != false }
}

extension SQSQueue {
  /// All attributes, in the order in which they are shown.
  func shown(_ counts: (visible: Int, hidden: Int, delayed: Int)) -> [(key: String, value: String)] {
    var list: [(key: String, value: String)] = [
      ("QueueArn", arn), ("ApproximateNumberOfMessages", String(counts.visible)),
      ("ApproximateNumberOfMessagesNotVisible", String(counts.hidden)),
      ("ApproximateNumberOfMessagesDelayed", String(counts.delayed)), ("CreatedTimestamp", String(created)),
      ("LastModifiedTimestamp", String(modified)),
    ]
    for name in [
      "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod", "DelaySeconds",
      "ReceiveMessageWaitTimeSeconds",
    ] { list.append((name, String(number(name)))) }
    for name in ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"] {
      if let value = attributes[name] { list.append((name, value)) }
    }
    if attributes["KmsMasterKeyId"] != nil {
      list.append(("KmsDataKeyReusePeriodSeconds", String(number("KmsDataKeyReusePeriodSeconds"))))
    }
    list.append(
      (
        "SqsManagedSseEnabled",
        attributes["SqsManagedSseEnabled"] ?? (attributes["KmsMasterKeyId"] == nil ? "true" : "false")
      ))
    if isFIFO {
      list.append(("FifoQueue", "true"))
      list.append(("ContentBasedDeduplication", attributes["ContentBasedDeduplication"] ?? "false"))
      list.append(("DeduplicationScope", attributes["DeduplicationScope"] ?? "queue"))
      list.append(("FifoThroughputLimit", attributes["FifoThroughputLimit"] ?? "perQueue"))
    }
    return list
  }

  /// The value of an attribute that can be set, for a comparison; nil = none.
  func value(_ name: String) -> String? { shown((0, 0, 0)).first { $0.key == name }?.value }

  /// Every name that GetQueueAttributes takes.
  static let attributeNames: Set<String> = [
    "All", "Policy", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod", "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn",
    "ApproximateNumberOfMessagesDelayed", "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "FifoQueue",
    "ContentBasedDeduplication", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "DeduplicationScope",
    "FifoThroughputLimit", "RedriveAllowPolicy", "SqsManagedSseEnabled",
  ]
}
