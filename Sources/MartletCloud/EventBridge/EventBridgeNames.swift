// What requests of EventBridge name: buses, rules, tags, pages of lists; with the constraints of the model.
import MartletCore
import MartletStore
import MartletWire
import NIOCore

/// Names that the model constrains alike.
enum EventBridgeName {
  static let rule: [Constraint] = [.length(1, 64), .pattern(Pattern(#"[\.\-_A-Za-z0-9]+"#))]
  static let archive: [Constraint] = [.length(1, 48), .pattern(Pattern(#"[\.\-_A-Za-z0-9]+"#))]
  static let bus: [Constraint] = [.length(1, 256), .pattern(Pattern(#"[/\.\-_A-Za-z0-9]+"#))]
  /// Of PutPermission and RemovePermission.
  static let plainBus: [Constraint] = [.length(1, 256), .pattern(Pattern(#"[\.\-_A-Za-z0-9]+"#))]
  static let busOrARN: [Constraint] = [
    .length(1, 1600),
    .pattern(
      Pattern(#"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+"#)),
  ]
  static let source: [Constraint] = [
    .length(1, 1600), .pattern(Pattern(#"^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:.+\/.+$"#)),
  ]
  static let description: [Constraint] = [.length(nil, 512)]
  static let lineDescription: [Constraint] = [.length(nil, 512), .pattern(Pattern(".*"))]
  static let encryptionKey: [Constraint] = [.length(nil, 2048), .pattern(Pattern(#"^[a-zA-Z0-9_\-/:]*$"#))]
  static let eventPattern: [Constraint] = [.length(nil, 4096)]
  static let arn: [Constraint] = [.length(1, 1600)]

  static let defaultBus = "default"
}

extension Members {
  func string(_ name: String, as constraints: [Constraint]) -> String? {
    switch constraints.count {
    case 1: string(name, constraints[0])
    default: string(name, constraints[0], constraints[1])
    }
  }

  func required(_ name: String, as constraints: [Constraint]) -> String {
    switch constraints.count {
    case 1: required(name, constraints[0])
    default: required(name, constraints[0], constraints[1])
    }
  }

  /// The member `EventBusName`: a name or an ARN.
  func bus() -> BusReference { BusReference(string("EventBusName", as: EventBridgeName.busOrARN)) }

  func eventBridgeTags() -> [EventBridgeTag]? {
    objects("Tags").map { $0.map { EventBridgeTag($0) } }
  }
}

/// Which bus is meant.
struct BusReference: Sendable {
  let name: String
  /// nil = the caller's.
  private let place: Place?

  /// - Parameter text: name or ARN; nil = the default bus.
  init(_ text: String?) {
    guard let text, let arn = ARN(text), let slash = arn.resource.firstIndex(of: "/") else {
      name = text ?? EventBridgeName.defaultBus
      place = nil
      return
    }
    name = String(arn.resource[arn.resource.index(after: slash)...])
    if let account = Account(arn.account), let region = Region(arn.region) {
      place = Place(account: account, region: region)
    } else {
      place = nil
    }
  }

  func key(_ call: Call) -> ResourceKey { ResourceKey(place: place ?? call.place, name: name) }
}

/// A rule's name in the catalogue: the bus comes first, so that a bus's rules stand together.
struct RuleKey: Hashable, Sendable {
  let bus: ResourceKey
  let name: String

  init(_ bus: ResourceKey, _ name: String) {
    self.bus = bus
    self.name = name
  }

  /// - Parameter key: of the catalogue.
  init(catalogue key: ResourceKey) {
    let parts = key.name.split(separator: "|", maxSplits: 1)
    bus = ResourceKey(place: key.place, name: String(parts.first ?? ""))
    name = parts.count > 1 ? String(parts[1]) : ""
  }

  var catalogue: ResourceKey { ResourceKey(place: bus.place, name: "\(bus.name)|\(name)") }

  /// `rule/name` on the default bus, `rule/bus/name` on others.
  var arn: String {
    let path = bus.name == EventBridgeName.defaultBus ? name : "\(bus.name)/\(name)"
    return ARN(service: "events", place: bus.place, resource: "rule/\(path)").description
  }

  /// nil unless it is the resource of a rule's ARN: `rule/…`
  init?(resource: String, in place: Place) {
    let parts = resource.split(separator: "/").map(String.init)
    guard parts.count > 1, parts[0] == "rule", let last = parts.last else { return nil }
    let bus = parts.count == 2 ? EventBridgeName.defaultBus : parts[1..<(parts.count - 1)].joined(separator: "/")
    self.init(ResourceKey(place: place, name: bus), last)
  }
}

struct EventBridgeTag: Sendable, Equatable {
  let key: String
  let value: String

  init(_ m: Members) {
    key = m.required("Key", .length(1, 128))
    value = m.required("Value", .length(0, 256))
  }

  init(key: String, value: String) {
    self.key = key
    self.value = value
  }

  static func json(_ tags: [EventBridgeTag]) -> JSONValue {
    .object(tags.map { .init($0.key, .string($0.value)) })
  }

  static func list(_ json: JSONValue?) -> [EventBridgeTag] {
    (json?.members ?? []).map { EventBridgeTag(key: $0.name, value: $0.value.string ?? "") }
  }

  /// Tags with others added; of two with one key the later one stays.
  static func merge(_ tags: [EventBridgeTag], _ more: [EventBridgeTag]) -> [EventBridgeTag] {
    var merged = tags
    for tag in more {
      if let position = merged.firstIndex(where: { $0.key == tag.key }) {
        merged[position] = tag
      } else {
        merged.append(tag)
      }
    }
    return merged
  }
}

/// `NextToken` and `Limit`.
struct EventBridgePage: Sendable {
  private let token: String?
  private let count: Int
  private static let usualCount = 100

  init(_ m: Members) {
    token = m.string("NextToken", .length(1, 2048))
    count = m.integer("Limit", in: 1...100) ?? EventBridgePage.usualCount
  }

  /// A part of a list that is in the order of `name`, and the token for the next one.
  func cut<Element>(
    _ all: [Element], by name: (Element) -> String
  ) throws(AWSError) -> (part: [Element], token: String?) {
    var rest = all[...]
    if let token {
      guard let bytes = Base64.decode(token) else {
        throw .eventsInvalid("NextToken", "The token is not one that was returned.")
      }
      let last = String(buffer: bytes)
      rest = rest.drop { name($0) <= last }
    }
    let part = Array(rest.prefix(count))
    guard part.count < rest.count, let last = part.last else { return (part, nil) }
    return (part, Base64.encode(Array(name(last).utf8)))
  }
}
