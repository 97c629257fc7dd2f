// Lists and maps of the query protocol where a service flattens them: `Attribute.1.Name=a` is a member of `Attributes`.
import MartletCore

/// One table serves requests and answers, so that operations know the names of the model only.
package struct QueryNames: Sendable {
  package struct Name: Sendable {
    /// As the model calls the member.
    let model: String
    /// As each element is called on the wire.
    let wire: String
    /// The parts of a map's entry; nil = it is a list.
    let parts: (key: String, value: String)?
    /// The only action that has it so; nil = all.
    let action: String?

    /// A list.
    package init(_ model: String, _ wire: String, in action: String? = nil) {
      self.model = model
      self.wire = wire
      parts = nil
      self.action = action
    }

    /// A map.
    package init(_ model: String, _ wire: String, key: String, value: String, in action: String? = nil) {
      self.model = model
      self.wire = wire
      parts = (key, value)
      self.action = action
    }

    var key: String { parts?.key ?? "key" }
    var value: String { parts?.value ?? "value" }
  }

  private let names: [Name]
  private let action: String?
  /// By the model's names, and by those of the wire.
  private let byModel: [String: Name]
  private let byWire: [String: Name]

  package init(_ names: [Name]) { self.init(names, of: nil) }

  private init(_ names: [Name], of action: String?) {
    self.names = names
    self.action = action
    var (byModel, byWire): ([String: Name], [String: Name]) = ([:], [:])
    for name in names where name.action == nil || name.action == action {
      if byModel[name.model]?.action == nil { byModel[name.model] = name }
      if byWire[name.wire]?.action == nil { byWire[name.wire] = name }
    }
    self.byModel = byModel
    self.byWire = byWire
  }

  /// The names as one action has them.
  package func of(_ action: String) -> QueryNames { QueryNames(names, of: action) }

  func written(_ model: String) -> Name? { byModel[model] }

  /// The members of a form under the names, and in the forms, of the model.
  package func read(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
    members.map { member in
      guard let name = byWire[member.name] else { return .init(member.name, inside(member.value)) }
      // One element may stand there without a number.
      let elements = member.value == .string("") ? [] : member.value.array ?? [member.value]
      guard let parts = name.parts else { return .init(name.model, .array(elements.map(inside))) }
      var entries: [JSONValue.Member] = []
      for element in elements {
        guard let key = element[parts.key]?.string else { continue }
        entries.append(.init(key, element[parts.value].map(inside) ?? .string("")))
      }
      return .init(name.model, .object(entries))
    }
  }

  private func inside(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members): .object(read(members))
    case .array(let elements): .array(elements.map(inside))
    default: value
    }
  }
}
