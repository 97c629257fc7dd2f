// A topic as it is kept: its name, what was set of its attributes, its tags.
import MartletCore
import MartletStore
import MartletWire

struct SNSTopic: Document, Equatable {
  static let kind = "sns-topic"

  let key: ResourceKey
  /// Tells it from another topic that had its name before.
  let store: Int64
  /// What was set; the rest has its default.
  var attributes: [String: String]
  /// In the order in which they were set.
  var tags: [Tag]
  /// Subscriptions that are gone.
  var deleted = 0

  struct Tag: Equatable, Sendable {
    let key: String
    var value: String
  }

  init(key: ResourceKey, store: Int64, attributes: [String: String] = [:], tags: [Tag] = []) {
    self.key = key
    self.store = store
    self.attributes = attributes
    self.tags = tags
  }

  // MARK: - On disk

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let store = json["store"]?.integer else {
      throw Fault("read a topic", "\(key.name) is damaged")
    }
    self.init(
      key: key, store: Int64(store),
      attributes: Dictionary(
        (json["attributes"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { $1 }),
      tags: (json["tags"]?.members ?? []).map { Tag(key: $0.name, value: $0.value.string ?? "") })
    deleted = json["deleted"]?.integer ?? 0
  }

  var document: String {
    JSONValue.members(
      ("store", .integer(store)), ("deleted", .integer(Int64(deleted))),
      ("attributes", .object(attributes.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })),
      ("tags", .object(tags.map { .init($0.key, .string($0.value)) }))
    ).text
  }

  // MARK: - What it is

  var arn: String { SNSTopic.arn(key) }
  static func arn(_ key: ResourceKey) -> String {
    ARN(service: "sns", place: key.place, resource: key.name).description
  }

  var isFIFO: Bool { key.name.hasSuffix(".fifo") }
  var isContentBased: Bool { attributes["ContentBasedDeduplication"] == "true" }
  var isDeduplicatedByGroup: Bool { attributes["FifoThroughputScope"] == "MessageGroup" }
  var largestMessage: Int { attributes["MaximumMessageSize"].flatMap { Int($0) } ?? SNSTopic.usualLargestMessage }
  /// 1: SHA-1, 2: SHA-256.
  var signatureVersion: String { attributes["SignatureVersion"] ?? "1" }

  private static let usualLargestMessage = 262_144
}

/// A topic, as a caller names it.
struct TopicReference: Sendable {
  let key: ResourceKey

  /// - Parameter parameter: as the caller's request calls it.
  init(_ arn: String, parameter: String = "TopicArn") throws(AWSError) {
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 6 else { throw .snsNotARN(parameter, arn) }
    guard parts.count == 6, parts[0] == "arn", parts[2] == "sns", let region = Region(parts[3]),
      let account = Account(parts[4]), !parts[5].isEmpty
    else { throw .snsInvalid(parameter) }
    key = ResourceKey(place: Place(account: account, region: region), name: String(parts[5]))
  }
}
