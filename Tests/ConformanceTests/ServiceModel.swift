// AWS's models of the services as tests look at them: lambda-model.json and others, which extract_model.py writes.
import MartletStore
import MartletWire

/// A shape of the model: what a value may be.
struct ModelShape: Sendable {
  let name: String
  /// `string`, `integer`, `structure` and so on, as the model has them.
  let type: String
  let low: Double?
  let high: Double?
  let pattern: String?
  let values: [String]
  /// A text that the shape allows.
  let sample: String
  /// A text of allowed length that breaks the pattern; nil if there is none.
  let breach: String?
  let members: [ModelMember]
  /// Of a list.
  let element: String
  /// Of a map.
  let key: String
  let value: String

  init(_ name: String, _ json: JSONValue) {
    self.name = name
    type = json["type"]?.string ?? ""
    low = json["min"]?.number
    high = json["max"]?.number
    pattern = json["pattern"]?.string
    values = json["enum"]?.array?.compactMap(\.string) ?? []
    sample = json["sample"]?.string ?? values.first { $0 == "python3.12" } ?? values.first ?? ""
    breach = json["breach"]?.string
    let required = json["required"]?.array?.compactMap(\.string) ?? []
    let payload = json["payload"]?.string
    members = (json["members"]?.members ?? []).map { member in
      ModelMember(
        name: member.name, shape: member.value["shape"]?.string ?? "",
        place: member.name == payload ? .payload : .init(member.value["location"]?.string),
        wireName: member.value["locationName"]?.string ?? member.name, isRequired: required.contains(member.name))
    }
    element = json["member"]?.string ?? ""
    key = json["key"]?.string ?? ""
    value = json["value"]?.string ?? ""
  }
}

/// A member of a structure.
struct ModelMember: Sendable {
  enum Place: String, Sendable {
    case uri, header, body, payload
    case query = "querystring"

    init(_ location: String?) { self = location.flatMap { Place(rawValue: $0) } ?? .body }
  }

  let name: String
  let shape: String
  let place: Place
  let wireName: String
  let isRequired: Bool

  /// As violations name it.
  var field: String { Reader.lowerCamel(name) }
}

struct ModelOperation: Sendable {
  let method: String
  /// May end in `?name=value`.
  let uri: String
  let status: Int
  let input: [ModelMember]
  let output: [String]
  let errors: [String]
}

struct ServiceModel: Sendable {
  struct Failure: Sendable {
    let status: Int
    /// `message` or `Message`.
    let key: String?
    /// Where the code on the wire is not the name of the shape.
    let code: String?
  }

  static let here = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex))
  static let lambda = ServiceModel(of: "lambda")
  static let iam = ServiceModel(of: "iam")
  static let kinesis = ServiceModel(of: "kinesis")
  static let sts = ServiceModel(of: "sts")
  static let cloudtrail = ServiceModel(of: "cloudtrail")
  static let sns = ServiceModel(of: "sns")
  static let cloudwatch = ServiceModel(of: "cloudwatch")
  static let sqs = ServiceModel(of: "sqs")
  static let scheduler = ServiceModel(of: "scheduler")
  static let events = ServiceModel(of: "events")
  static let s3 = ServiceModel(of: "s3")
  static let logs = ServiceModel(of: "logs")
  static let xray = ServiceModel(of: "xray")

  private init(of service: String) {
    guard let model = try? ServiceModel(path: "\(ServiceModel.here)/\(service)-model.json") else {
      preconditionFailure("\(service)-model.json cannot be read: run extract_model.py")
    }
    self = model
  }

  let operations: [String: ModelOperation]
  let errors: [String: Failure]
  private let shapes: [String: ModelShape]

  private init(path: String) throws {
    let json = try JSONValue(parsing: String(decoding: try Files.read(path), as: UTF8.self))
    var shapes: [String: ModelShape] = [:]
    for member in json["shapes"]?.members ?? [] { shapes[member.name] = ModelShape(member.name, member.value) }
    self.shapes = shapes
    var errors: [String: Failure] = [:]
    for member in json["errors"]?.members ?? [] {
      errors[member.name] = Failure(
        status: member.value["status"]?.integer ?? 0, key: member.value["message"]?.string,
        code: member.value["code"]?.string)
    }
    self.errors = errors
    var operations: [String: ModelOperation] = [:]
    for member in json["operations"]?.members ?? [] {
      let value = member.value
      operations[member.name] = ModelOperation(
        method: value["method"]?.string ?? "", uri: value["uri"]?.string ?? "",
        status: value["status"]?.integer ?? 0,
        input: value["input"]?.string.flatMap { shapes[$0]?.members } ?? [],
        output: value["output"]?.array?.compactMap(\.string) ?? [],
        errors: value["errors"]?.array?.compactMap(\.string) ?? [])
    }
    self.operations = operations
  }

  func shape(_ name: String) -> ModelShape {
    guard let shape = shapes[name] else { preconditionFailure("no shape \(name) in the model") }
    return shape
  }

  // MARK: - Values

  /// A value that the shape allows. Structures have their required members, or all of them.
  func sample(_ name: String, all: Bool = false) -> JSONValue {
    let shape = shape(name)
    switch shape.type {
    case "string": return .string(shape.sample)
    case "integer", "long": return .integer(Int64(shape.low ?? 1))
    case "double", "float": return .double(shape.low ?? 0.5)
    case "boolean": return .bool(true)
    case "blob": return .string("AAAA")
    case "timestamp": return .integer(1_700_000_000)
    case "list": return .array(elements(of: shape, count: max(Int(shape.low ?? 0), 1), all: all))
    case "map":
      // As many as there must be, each with a name of its own.
      return .object(
        (0..<max(Int(shape.low ?? 0), 1)).map {
          .init(text(shape.key) + ($0 == 0 ? "" : "\($0)"), sample(shape.value, all: all))
        })
    default:
      let members = shape.members.filter { all || $0.isRequired }
      return .object(members.map { .init($0.name, sample($0.shape, all: all)) })
    }
  }

  func elements(of list: ModelShape, count: Int, all: Bool = false) -> [JSONValue] {
    (0..<count).map { _ in sample(list.element, all: all) }
  }

  /// The sample of a string.
  func text(_ name: String) -> String { shape(name).sample }
}

/// A request of the model, member by member.
struct ModelRequest: Sendable {
  let operation: ModelOperation
  private var members: [(member: ModelMember, value: JSONValue)] = []

  /// With the members that the model requires, or all of them.
  init(_ operation: ModelOperation, of model: ServiceModel = .lambda, all: Bool = false) {
    self.operation = operation
    for member in operation.input where (all && member.place != .payload) || member.isRequired {
      members.append((member, model.sample(member.shape, all: all)))
    }
  }

  /// The request with another value; nil leaves the member out.
  func setting(_ member: ModelMember, _ value: JSONValue?) -> ModelRequest {
    var copy = self
    copy.members.removeAll { $0.member.name == member.name }
    if let value { copy.members.append((member, value)) }
    return copy
  }

  var uri: String {
    let parts = operation.uri.split(separator: "?", maxSplits: 1)
    var path = String(parts[0])
    var query = parts.count > 1 ? [String(parts[1])] : []
    for (member, value) in members {
      switch member.place {
      case .uri:
        guard let start = path.range(of: "{\(member.wireName)}") else { continue }
        path.replaceSubrange(start, with: ModelRequest.encode(ModelRequest.text(value)))
      case .query:
        for element in value.array ?? [value] {
          query.append("\(member.wireName)=\(ModelRequest.encode(ModelRequest.text(element)))")
        }
      default: continue
      }
    }
    return query.isEmpty ? path : "\(path)?\(query.joined(separator: "&"))"
  }

  var headers: [(String, String)] {
    members.filter { $0.member.place == .header }.map { ($0.member.wireName, ModelRequest.text($0.value)) }
  }

  /// - Parameter more: members that the model does not know.
  func body(_ more: [JSONValue.Member] = []) -> String {
    guard operation.input.contains(where: { $0.place == .body }) else { return "" }
    let known = members.filter { $0.member.place == .body }.map { JSONValue.Member($0.member.wireName, $0.value) }
    return JSONValue.object(known + more).text
  }

  /// The members as the query protocol has them.
  var form: String {
    members.flatMap { ModelRequest.parameters($0.member.wireName, $0.value) }
      .map { "&\(encode($0.name))=\(encode($0.value))" }.joined()
  }

  private static func parameters(_ name: String, _ value: JSONValue) -> [(name: String, value: String)] {
    switch value {
    case .array(let elements):
      if elements.isEmpty { return [(name, "")] }
      return elements.enumerated().flatMap { parameters("\(name).member.\($0 + 1)", $1) }
    case .object(let members): return members.flatMap { parameters("\(name).\($0.name)", $0.value) }
    default: return [(name, text(value))]
    }
  }

  private func encode(_ text: String) -> String { ModelRequest.encode(text) }

  private static func text(_ value: JSONValue) -> String { value.string ?? value.text }

  private static func encode(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        String(UnicodeScalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}

extension String {
  /// The first place of `text` in the string.
  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
