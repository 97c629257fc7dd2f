// A queue as it is kept: its name, what was set of its attributes, its tags.
import MartletCore
import MartletStore
import MartletWire

struct SQSQueue: Document, Equatable {
  static let kind = "sqs-queue"

  let key: ResourceKey
  /// Under which its messages lie in the table; a purge gives it another one.
  var store: Int64
  /// Seconds since 1970.
  var created: Int64
  var modified: Int64
  /// What was set; the rest has its default.
  var attributes: [String: String]
  /// In the order in which they were set.
  var tags: [Tag]

  struct Tag: Equatable, Sendable {
    let key: String
    var value: String
  }

  init(key: ResourceKey, store: Int64, created: Int64, attributes: [String: String] = [:], tags: [Tag] = []) {
    self.key = key
    self.store = store
    self.created = created
    modified = created
    self.attributes = attributes
    self.tags = tags
  }

  // MARK: - On disk

  init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let store = json["store"]?.integer else {
      throw Fault("read a queue", "\(key.name) is damaged")
    }
    self.init(
      key: key, store: Int64(store), created: Int64(json["created"]?.integer ?? 0),
      attributes: Dictionary(
        (json["attributes"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { $1 }),
      tags: (json["tags"]?.members ?? []).map { Tag(key: $0.name, value: $0.value.string ?? "") })
    modified = Int64(json["modified"]?.integer ?? 0)
  }

  var document: String {
    JSONValue.members(
      ("store", .integer(store)), ("created", .integer(created)), ("modified", .integer(modified)),
      ("attributes", .object(attributes.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })),
      ("tags", .object(tags.map { .init($0.key, .string($0.value)) }))
    ).text
  }

  // MARK: - What it is

  var arn: String { ARN(service: "sqs", place: key.place, resource: key.name).description }

  /// The URL for a client that reached the server under `host`.
  func url(_ host: String) -> String { "http://\(host)/\(key.place.account)/\(key.name)" }

  var isFIFO: Bool { key.name.hasSuffix(".fifo") }

  /// In seconds, or in bytes.
  func number(_ name: String) -> Int {
    attributes[name].flatMap { Int($0) } ?? SQSAttributes.numbers[name]?.standard ?? 0
  }

  var visibility: Int { number("VisibilityTimeout") }
  var delay: Int { number("DelaySeconds") }
  var wait: Int { number("ReceiveMessageWaitTimeSeconds") }
  var largestMessage: Int { number("MaximumMessageSize") }
  var isContentBased: Bool { attributes["ContentBasedDeduplication"] == "true" }
  var isDeduplicatedByGroup: Bool { attributes["DeduplicationScope"] == "messageGroup" }
  var redrive: RedrivePolicy? { attributes["RedrivePolicy"].flatMap { try? RedrivePolicy($0) } }
}

/// Where messages go that were received too often.
struct RedrivePolicy: Equatable, Sendable {
  let target: ResourceKey
  let arn: String
  let maxReceives: Int

  /// - Throws: AWS's words for what is wrong with it.
  init(_ text: String) throws(AWSError) {
    func refusal(_ reason: String) -> AWSError { .sqsInvalid(text, for: "RedrivePolicy", reason) }
    guard let json = try? JSONValue(parsing: text), json.members != nil else {
      throw refusal("Redrive policy is not a valid JSON map.")
    }
    guard let arn = json["deadLetterTargetArn"]?.string else {
      throw refusal("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
    }
    guard let count = json["maxReceiveCount"] else {
      throw refusal("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
    }
    guard let most = count.integer ?? count.string.flatMap({ Int($0) }), (1...1000).contains(most) else {
      throw refusal(
        "Invalid value for maxReceiveCount: \(count.string ?? count.text), valid values are from 1 to 1000 both inclusive."
      )
    }
    guard let reference = SQS.QueueReference(arn: arn), let account = reference.account, let region = reference.region
    else { throw refusal("Dead letter target does not exist.") }
    target = ResourceKey(place: Place(account: account, region: region), name: reference.name)
    self.arn = arn
    maxReceives = most
  }
}
