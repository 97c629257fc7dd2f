// Every way in which a request can break the service model, with what AWS says of each.
import MartletWire

/// A value that an operation must refuse, and how.
struct ModelViolation: Sendable {
  enum Refusal: Sendable {
    /// A ValidationException that names the field and says this.
    case constraint(String)
    /// The same for an enumeration, whose values stand in any order.
    case values([String])
    /// A SerializationException: the value is of another type than the model's.
    case serialization
  }

  let member: ModelMember
  /// nil: the member is left out.
  let value: JSONValue?
  let field: String
  /// For exceptions and for whoever reads a failure.
  let kind: Kind
  let refusal: Refusal

  enum Kind: String, Sendable {
    case missing, tooShort, tooLong, pattern, enumeration, tooSmall, tooLarge, tooFew, tooMany, element, key, value,
      type
  }
}

/// A value that an operation must not refuse for breaking the model.
struct ModelBoundary: Sendable {
  let member: ModelMember
  let value: JSONValue
  let field: String
}

/// Walks the members of an operation's input, nested ones as well.
struct ModelWalker {
  private(set) var violations: [ModelViolation] = []
  private(set) var boundaries: [ModelBoundary] = []
  private let model: ServiceModel
  /// The member of the request that is walked.
  private var member: ModelMember

  /// Puts a value into its place among valid ones: the result is the value of the request's member.
  private typealias Placing = (JSONValue?) -> JSONValue?

  static func walk(
    _ operation: ModelOperation, of model: ServiceModel = .lambda
  ) -> (violations: [ModelViolation], boundaries: [ModelBoundary]) {
    var violations: [ModelViolation] = []
    var boundaries: [ModelBoundary] = []
    for member in operation.input where member.place != .payload {
      var walker = ModelWalker(member: member, model: model)
      walker.walk(member, field: member.field) { $0 }
      violations += walker.violations
      boundaries += walker.boundaries
    }
    return (violations, boundaries)
  }

  private init(member: ModelMember, model: ServiceModel) {
    self.member = member
    self.model = model
  }

  private mutating func refuse(
    _ kind: ModelViolation.Kind, _ field: String, _ value: JSONValue?, _ refusal: ModelViolation.Refusal
  ) {
    violations.append(ModelViolation(member: member, value: value, field: field, kind: kind, refusal: refusal))
  }

  private mutating func accept(_ field: String, _ value: JSONValue?) {
    guard let value else { return }
    boundaries.append(ModelBoundary(member: member, value: value, field: field))
  }

  private mutating func walk(_ member: ModelMember, field: String, place: Placing) {
    if member.isRequired, self.member.place != .uri {
      refuse(.missing, field, place(nil), .constraint("Member must not be null"))
    }
    walk(model.shape(member.shape), field: field, place: place)
  }

  private mutating func walk(_ shape: ModelShape, field: String, place: Placing) {
    if member.place == .body { refuse(.type, field, place(wrong(shape)), .serialization) }
    switch shape.type {
    case "string": text(shape, field, place)
    case "integer", "long", "double", "float": number(shape, field, place)
    case "list": list(shape, field, place)
    case "map": map(shape, field, place)
    case "structure": structure(shape, field, place)
    case "boolean":
      accept(field, place(.bool(false)))
    default: accept(field, place(model.sample(shape.name)))
    }
  }

  /// A value of a type that the shape cannot be.
  private func wrong(_ shape: ModelShape) -> JSONValue {
    switch shape.type {
    case "string", "blob": .bool(true)
    case "timestamp": .bool(true)
    default: .string("x")
    }
  }

  private mutating func text(_ shape: ModelShape, _ field: String, _ place: Placing) {
    if !shape.values.isEmpty {
      refuse(.enumeration, field, place(.string("NoSuchValue")), .values(shape.values))
      for value in shape.values { accept(field, place(.string(value))) }
      return
    }
    accept(field, place(.string(shape.sample)))
    if let low = shape.low, low > 0, member.place != .uri {
      refuse(
        .tooShort, field, place(.string(String(shape.sample.prefix(Int(low) - 1)))),
        .constraint("Member must have length greater than or equal to \(Int(low))"))
    }
    if let high = shape.high {
      refuse(
        .tooLong, field, place(.string(String(repeating: "a", count: Int(high) + 1))),
        .constraint("Member must have length less than or equal to \(Int(high))"))
      if shape.pattern == nil { accept(field, place(.string(String(repeating: "a", count: Int(high))))) }
    }
    if let pattern = shape.pattern, let breach = shape.breach {
      refuse(
        .pattern, field, place(.string(breach)),
        .constraint("Member must satisfy regular expression pattern: \(pattern)"))
    }
  }

  private mutating func number(_ shape: ModelShape, _ field: String, _ place: Placing) {
    func value(_ number: Double) -> JSONValue {
      shape.type == "double" || shape.type == "float" ? .double(number) : .integer(Int64(number))
    }
    if let low = shape.low {
      refuse(
        .tooSmall, field, place(value(low - 1)),
        .constraint("Member must have value greater than or equal to \(Int(low))"))
      accept(field, place(value(low)))
    }
    if let high = shape.high {
      refuse(
        .tooLarge, field, place(value(high + 1)),
        .constraint("Member must have value less than or equal to \(Int(high))"))
      accept(field, place(value(high)))
    }
  }

  private mutating func structure(_ shape: ModelShape, _ field: String, _ place: Placing) {
    let sample = model.sample(shape.name).members ?? []
    for inner in shape.members {
      let others = sample.filter { $0.name != inner.name }
      walk(inner, field: "\(field).\(inner.field)") { value in
        place(.object(others + (value.map { [.init(inner.name, $0)] } ?? [])))
      }
    }
  }

  private mutating func list(_ shape: ModelShape, _ field: String, _ place: Placing) {
    let low = Int(shape.low ?? 0)
    if low > 0, member.place != .query {
      refuse(
        .tooFew, field, place(.array(model.elements(of: shape, count: low - 1))),
        .constraint("Member must have length greater than or equal to \(low)"))
    }
    if let high = shape.high.map({ Int($0) }) {
      refuse(
        .tooMany, field, place(.array(model.elements(of: shape, count: high + 1))),
        .constraint("Member must have length less than or equal to \(high)"))
      accept(field, place(.array(model.elements(of: shape, count: high))))
    }
    let rest = model.elements(of: shape, count: max(low - 1, 0))
    let element = model.shape(shape.element)
    if element.type == "structure" {
      walk(element, field: "\(field).1.member") { value in place(.array((value.map { [$0] } ?? []) + rest)) }
      return
    }
    if member.place == .body { refuse(.type, field, place(.array([wrong(element)] + rest)), .serialization) }
    for bad in breaches(element) {
      refuse(.element, field, place(.array([bad] + rest)), .constraint("Member must satisfy constraint: ["))
    }
  }

  private mutating func map(_ shape: ModelShape, _ field: String, _ place: Placing) {
    let key = model.text(shape.key)
    let value = model.sample(shape.value)
    accept(field, place(.object([.init(key, value)])))
    if let low = shape.low, low > 0 {
      refuse(
        .tooFew, field, place(.object([])),
        .constraint("Member must have length greater than or equal to \(Int(low))"))
    }
    let inner = model.shape(shape.value)
    refuse(.type, field, place(.object([.init(key, wrong(inner))])), .serialization)
    for bad in breaches(model.shape(shape.key)) {
      refuse(
        .key, field, place(.object([.init(bad.string ?? "", value)])),
        .constraint("Map keys must satisfy constraint: ["))
    }
    for bad in breaches(inner) {
      refuse(
        .value, field, place(.object([.init(key, bad)])), .constraint("Map value must satisfy constraint: ["))
    }
  }

  /// Values of the right type that the shape of an element, a key or a map's value refuses.
  private func breaches(_ shape: ModelShape) -> [JSONValue] {
    switch shape.type {
    case "string":
      if !shape.values.isEmpty { return [.string("NoSuchValue")] }
      var bad: [JSONValue] = []
      if let breach = shape.breach { bad.append(.string(breach)) }
      if let high = shape.high { bad.append(.string(String(repeating: "a", count: Int(high) + 1))) }
      if let low = shape.low, low > 0 { bad.append(.string("")) }
      return bad
    case "integer", "long", "double", "float":
      return [shape.low.map { $0 - 1 }, shape.high.map { $0 + 1 }].compactMap { $0.map { .double($0) } }
    case "list":
      return breaches(model.shape(shape.element)).map { .array([$0]) }
        + (shape.low ?? 0 > 0 ? [.array([])] : [])
        + (shape.high.map { [.array(model.elements(of: shape, count: Int($0) + 1))] } ?? [])
    default: return []
    }
  }
}
