// The rules for topics: their names, their tags, and what their attributes may be.
// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
import MartletCore
import MartletStore
import MartletWire

extension SNSTopic {
  static let mostTags = 50

  /// Letters, digits, hyphens and underscores, up to 256; those of FIFO topics end with `.fifo`.
  static func checkName(_ name: String, isFIFO: Bool) throws(AWSError) {
    let bare = isFIFO && name.hasSuffix(".fifo") ? String(name.dropLast(5)) : name
    let isName =
      (1...256).contains(name.utf8.count) && !bare.isEmpty
      && bare.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
    guard isName, isFIFO == name.hasSuffix(".fifo") else { throw .snsInvalid("Topic Name") }
  }

  static func checkTags(_ tags: [Tag]) throws(AWSError) {
    guard Set(tags.map(\.key)).count == tags.count else {
      throw .snsInvalid("Duplicated keys are not allowed.")
    }
    guard !tags.contains(where: { $0.key.lowercased().hasPrefix("aws:") }) else {
      throw .snsInvalid("Tag keys must not begin with aws:")
    }
    guard tags.count <= mostTags else { throw .snsTooManyTags() }
  }

  mutating func tag(_ new: [Tag]) {
    for tag in new {
      if let position = tags.firstIndex(where: { $0.key == tag.key }) {
        tags[position].value = tag.value
      } else {
        tags.append(tag)
      }
    }
  }

  // MARK: - Attributes

  private static let choices: [String: [String]] = [
    "ContentBasedDeduplication": ["true", "false"], "FifoThroughputScope": ["Topic", "MessageGroup"],
    "SignatureVersion": ["1", "2"], "TracingConfig": ["PassThrough", "Active"],
  ]
  private static let ofFIFO: Set<String> = ["ContentBasedDeduplication", "FifoThroughputScope", "ArchivePolicy"]
  private static let feedback: Set<String> = Set(
    ["HTTP", "Firehose", "Lambda", "Application", "SQS"].flatMap { endpoint in
      ["SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"].map { endpoint + $0 }
    })
  private static let messageSizes = 1024...1_048_576
  private static let longestDisplayName = 100

  /// Refuses an attribute that a topic cannot have, or a value that it cannot take. An empty value removes it.
  /// - Parameter isCreation: the words are others then.
  static func check(_ name: String, _ value: String, isFIFO: Bool, isCreation: Bool) throws(AWSError) {
    func refusal(_ reason: String) -> AWSError { .snsInvalid(isCreation ? "Attributes Reason: \(reason)" : reason) }
    if ofFIFO.contains(name), !isFIFO {
      throw refusal(
        name == "ContentBasedDeduplication"
          ? "Content-based deduplication can only be set for FIFO topics" : "\(name) can only be set for FIFO topics")
    }
    if let allowed = choices[name] {
      guard allowed.contains(value) else { throw refusal(name) }
      return
    }
    switch name {
    case "FifoTopic":
      guard isCreation, value == String(isFIFO) else { throw refusal("FifoTopic") }
    case "DisplayName":
      guard value.unicodeScalars.count <= longestDisplayName else { throw refusal("DisplayName") }
    case "MaximumMessageSize":
      guard value.isEmpty || Int(value).map(messageSizes.contains) == true else { throw refusal("MaximumMessageSize") }
    case "Policy":
      guard value.isEmpty || (try? JSONValue(parsing: value))?.members != nil else {
        throw refusal("Policy Error: null")
      }
    case "DeliveryPolicy":
      guard !value.isEmpty else { return }
      do throws(DeliveryPolicy.Flaw) { _ = try DeliveryPolicy(ofTopic: value) } catch {
        throw refusal("DeliveryPolicy: \(error.reason)")
      }
    case "ArchivePolicy":
      guard value.isEmpty || value == "{}" else { throw .notImplemented("ArchivePolicy of SNS topics") }
    case "KmsMasterKeyId": break
    default:
      guard feedback.contains(name) else { throw .snsInvalid(isCreation ? "Attributes" : "AttributeName") }
    }
  }

  mutating func set(_ name: String, _ value: String) {
    // A topic is what its name says.
    guard name != "FifoTopic" else { return }
    attributes[name] = value.isEmpty ? nil : value
  }

  /// All attributes, in the order in which they are shown.
  func shown(confirmed: Int, pending: Int) -> [(key: String, value: String)] {
    var list: [(key: String, value: String)] = [
      ("Policy", attributes["Policy"] ?? TopicPolicy.standard(of: self)), ("Owner", key.place.account.id),
      ("SubscriptionsPending", String(pending)), ("TopicArn", arn),
      ("EffectiveDeliveryPolicy", DeliveryPolicy.effective(topic: attributes["DeliveryPolicy"])),
      ("SubscriptionsConfirmed", String(confirmed)), ("DisplayName", attributes["DisplayName"] ?? ""),
      ("SubscriptionsDeleted", String(deleted)),
    ]
    if isFIFO {
      list.append(("FifoTopic", "true"))
      list.append(("ContentBasedDeduplication", attributes["ContentBasedDeduplication"] ?? "false"))
      list.append(("FifoThroughputScope", attributes["FifoThroughputScope"] ?? "Topic"))
    }
    let known = Set(list.map(\.key))
    for (name, value) in attributes.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
      list.append((name, value))
    }
    return list
  }

  /// What an attribute is, for a comparison.
  func value(_ name: String) -> String {
    if name == "FifoTopic" { return String(isFIFO) }
    return attributes[name] ?? shown(confirmed: 0, pending: 0).first { $0.key == name }?.value ?? ""
  }
}

extension Members {
  /// The tags of a request.
  func snsTags(_ name: String, isRequired: Bool = false) -> [SNSTopic.Tag] {
    let list = isRequired ? requiredObjects(name) : objects(name) ?? []
    return list.map { .init(key: $0.required("Key", .length(1, 128)), value: $0.required("Value", .length(0, 256))) }
  }
}
