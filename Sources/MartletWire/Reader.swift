// Reads an operation's input from a request, whatever the protocol: REST-JSON, AWS JSON, CBOR, or query.
import MartletCore
import NIOCore

/// One request being read. Used by one thread, for the length of one `Readable.init`.
package final class Reader {
  package let request: HTTPRequest
  private let parameters: [(name: String, value: Substring)]
  private lazy var query = request.queryParameters
  fileprivate var violations: [String] = []
  fileprivate var typeError: AWSError?
  /// The members of the body, once they are parsed.
  private var document: [JSONValue.Member]?
  /// Why the request is refused if no constraint is violated: some services word some rules in their own way.
  private var refusal: AWSError?
  /// The values are texts that mean what is asked for, as in the query protocol.
  package let isText: Bool
  /// The answer is CBOR.
  package let isBinary: Bool
  /// How lists and maps are named in the answer, where the service flattens them in the query protocol.
  package let names: QueryNames?

  package init(_ request: HTTPRequest, parameters: [(name: String, value: Substring)] = []) {
    self.request = request
    self.parameters = parameters
    (isText, isBinary, names) = (false, false, nil)
  }

  /// A request whose members came as CBOR.
  package init(_ request: HTTPRequest, binary: [JSONValue.Member]) {
    self.request = request
    parameters = []
    isText = false
    isBinary = true
    names = nil
    document = binary
  }

  /// A request whose members are the parameters of a form.
  package init(_ request: HTTPRequest, form: [JSONValue.Member], names: QueryNames? = nil) {
    self.names = names
    self.request = request
    parameters = []
    isText = true
    isBinary = false
    document = form
  }

  /// A parameter of the path, decoded.
  package func path(_ name: String, _ constraints: Constraint...) -> String {
    guard let value = parameters.first(where: { $0.name == name }) else {
      preconditionFailure("no parameter \(name) in the route")
    }
    let decoded = Percent.decode(value.value)
    check(decoded, at: Reader.lowerCamel(name), constraints)
    return decoded
  }

  /// A parameter of the query; nil if absent.
  package func query(_ name: String, as field: String? = nil, _ constraints: Constraint...) -> String? {
    guard let value = query.first(where: { $0.name == name })?.value else { return nil }
    check(value, at: field ?? Reader.lowerCamel(name), constraints)
    return value
  }

  /// A parameter of the query that must be there.
  package func requiredQuery(_ name: String, _ constraints: Constraint...) -> String {
    guard let value = query.first(where: { $0.name == name })?.value else {
      violate("Value null at '\(Reader.lowerCamel(name))' failed to satisfy constraint: Member must not be null")
      return ""
    }
    check(value, at: Reader.lowerCamel(name), constraints)
    return value
  }

  /// All values of a repeated parameter of the query.
  package func queryList(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

  package func queryInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let text = query.first(where: { $0.name == name })?.value else { return nil }
    guard let value = Int(text) else {
      typeError = typeError ?? .serialization("\(text) can not be converted to an Integer")
      return nil
    }
    if let violation = Constraint.violation(value, range) {
      violate("Value '\(value)' at '\(Reader.lowerCamel(name))' failed to satisfy constraint: \(violation)")
    }
    return value
  }

  package func queryBool(_ name: String) -> Bool? {
    guard let text = query.first(where: { $0.name == name })?.value else { return nil }
    guard let flag = Bool(text) else {
      typeError = typeError ?? .serialization("\(text) can not be converted to a Boolean")
      return nil
    }
    return flag
  }

  /// A moment in the query, which is there as ISO 8601 or as seconds since 1970. Its text, once it is known to be one.
  package func queryMoment(_ name: String) -> String? {
    guard let text = query.first(where: { $0.name == name })?.value else { return nil }
    guard Double(text) != nil || Reader.moment.matches(text) else {
      typeError = typeError ?? .serialization("\(text) can not be converted to a Timestamp")
      return nil
    }
    return text
  }

  private static let moment = Pattern(#"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"#)

  /// A number in the path; nil after something that is none, which is recorded.
  package func pathInteger(_ name: String) -> Int? {
    let text = path(name)
    if let value = Int(text) { return value }
    typeError = typeError ?? .serialization("\(text) can not be converted to a Long")
    return nil
  }

  package func header(_ name: String, as field: String, _ constraints: Constraint...) -> String? {
    guard let value = request.header(name) else { return nil }
    check(value, at: field, constraints)
    return value
  }

  package var payload: ByteBuffer { request.body }

  /// The body's members. An empty body has none.
  package func body() throws(AWSError) -> Members {
    // `Members` knows its reader, so the reader must not keep it.
    let members = if let document { document } else { try parsedBody() }
    document = members
    return Members(reader: self, prefix: "", members: members)
  }

  private func parsedBody() throws(AWSError) -> [JSONValue.Member] {
    guard request.body.readableBytes > 0 else { return [] }
    let value: JSONValue
    do throws(JSONFlaw) {
      value = try JSONValue(parsing: request.body)
    } catch {
      throw .serialization("Could not parse request body into json: \(error.reason) at offset \(error.offset)")
    }
    guard case .object(let list) = value else {
      throw .serialization("Unexpected token: the body must be a JSON object")
    }
    return list
  }

  /// All that the request says, as far as it was read.
  var everything: [JSONValue.Member] {
    parameters.map { .init($0.name, .string(Percent.decode($0.value))) }
      + (isText ? [] : query.map { .init($0.name, .string($0.value)) }) + (document ?? [])
  }

  /// Refuses the request if anything in it was wrong.
  package func finish() throws(AWSError) {
    if let typeError { throw typeError }
    if !violations.isEmpty { throw .validation(violations) }
    if let refusal { throw refusal }
  }

  /// Refuses the request with an error of the service's own; the first one counts.
  package func refuse(_ error: AWSError) { refusal = refusal ?? error }

  package func violate(_ violation: String) { violations.append(violation) }

  /// Records what is wrong with a value.
  package func check(_ value: String, at field: String, _ constraints: [Constraint]) {
    checkText(value, at: field)
    for constraint in constraints {
      if let text = constraint.violation(value) {
        violate("Value '\(value)' at '\(field)' failed to satisfy constraint: \(text)")
      }
    }
  }

  /// No member of the model may hold a NUL, which ends a string for the programs that it is meant for.
  package func checkText(_ value: String, at field: String) {
    if value.utf8.contains(0) {
      violate("Value at '\(field)' failed to satisfy constraint: Member must not contain the character U+0000")
    }
  }

  package static func lowerCamel(_ name: String) -> String {
    guard let first = name.first else { return name }
    return first.lowercased() + name.dropFirst()
  }
}

/// The members of one structure of the request.
package struct Members {
  fileprivate let reader: Reader
  fileprivate let prefix: String
  package let members: [JSONValue.Member]

  /// nil for an absent member and for `null`.
  private func find(_ name: String) -> JSONValue? {
    guard let value = members.last(where: { $0.name == name })?.value, value != .null else { return nil }
    return value
  }

  private func field(_ name: String) -> String { prefix + Reader.lowerCamel(name) }

  /// Refuses the request with an error of the service's own, if no constraint is violated.
  package func refuse(_ error: AWSError) { reader.refuse(error) }

  package func contains(_ name: String) -> Bool { find(name) != nil }

  private func missing(_ name: String) {
    reader.violate("Value null at '\(field(name))' failed to satisfy constraint: Member must not be null")
  }

  private func wrongType(_ name: String, _ wanted: String) {
    reader.typeError = reader.typeError ?? .serialization("\(field(name)): the value can not be converted to \(wanted)")
  }

  package func string(_ name: String, _ constraints: Constraint...) -> String? {
    guard let value = find(name) else { return nil }
    guard case .string(let text) = value else {
      wrongType(name, "a String")
      return nil
    }
    reader.check(text, at: field(name), constraints)
    return text
  }

  /// A string that may hold anything, for services that have words of their own for what is wrong with it.
  package func text(_ name: String) -> String? {
    guard let value = find(name) else { return nil }
    if value.string == nil { wrongType(name, "a String") }
    return value.string
  }

  /// A map of structures, in the order of the request.
  package func structures(_ name: String) -> [(key: String, value: Members)]? {
    guard let value = find(name) else { return nil }
    guard let members = value.members ?? (reader.isText && value == .string("") ? [] : nil) else {
      wrongType(name, "a map")
      return nil
    }
    var map: [(key: String, value: Members)] = []
    for member in members where member.value != .null {
      guard let list = member.value.members else {
        wrongType(name, "a map of structures")
        return nil
      }
      map.append((member.name, Members(reader: reader, prefix: field(name) + ".", members: list)))
    }
    return map
  }

  package func required(_ name: String, _ constraints: Constraint...) -> String {
    guard let value = find(name) else {
      missing(name)
      return ""
    }
    guard case .string(let text) = value else {
      wrongType(name, "a String")
      return ""
    }
    reader.check(text, at: field(name), constraints)
    return text
  }

  package func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = find(name) else { return nil }
    guard let number = reader.isText ? value.string.flatMap({ Int($0) }) : value.integer else {
      wrongType(name, "an Integer")
      return nil
    }
    if let violation = Constraint.violation(number, range) {
      reader.violate("Value '\(number)' at '\(field(name))' failed to satisfy constraint: \(violation)")
    }
    return number
  }

  package func requiredInteger(_ name: String, in range: ClosedRange<Int>) -> Int {
    guard find(name) != nil else {
      missing(name)
      return range.lowerBound
    }
    return integer(name, in: range) ?? range.lowerBound
  }

  package func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
    guard let value = find(name) else { return nil }
    guard let number = reader.isText ? value.string.flatMap({ Double($0) }) : value.number else {
      wrongType(name, "a Double")
      return nil
    }
    if let violation = Constraint.violation(number, range) {
      reader.violate("Value '\(number)' at '\(field(name))' failed to satisfy constraint: \(violation)")
    }
    return number
  }

  package func requiredNumber(_ name: String, in range: ClosedRange<Double>) -> Double {
    if find(name) == nil { missing(name) }
    return number(name, in: range) ?? range.lowerBound
  }

  /// A number of any size.
  package func decimal(_ name: String) -> Double? {
    number(name, in: -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
  }

  package func decimals(_ name: String) -> [Double]? {
    guard let value = find(name) else { return nil }
    guard let elements = elements(value) else {
      wrongType(name, "a list")
      return nil
    }
    return elements.compactMap { element in
      let number = reader.isText ? element.string.flatMap { Double($0) } : element.number
      if number == nil { wrongType(name, "a list of Double") }
      return number
    }
  }

  /// A moment: seconds since 1970, or a date where all is text.
  package func time(_ name: String) -> Timestamp? {
    guard let value = find(name) else { return nil }
    let time =
      reader.isText
      ? value.string.flatMap { Timestamp(iso8601: $0) }
      : value.number.flatMap { abs($0) < 9e9 ? Timestamp(milliseconds: Int64(($0 * 1000).rounded())) : nil }
    if time == nil { wrongType(name, "a Timestamp") }
    return time
  }

  package func requiredTime(_ name: String) -> Timestamp {
    if find(name) == nil { missing(name) }
    return time(name) ?? Timestamp(nanoseconds: 0)
  }

  /// A moment, in seconds since 1970.
  package func moment(_ name: String) -> Double? {
    guard let value = find(name) else { return nil }
    guard let seconds = value.number else {
      wrongType(name, "a Timestamp")
      return nil
    }
    return seconds
  }

  package func bool(_ name: String, isRequired: Bool = false) -> Bool? {
    guard let value = find(name) else {
      if isRequired { missing(name) }
      return nil
    }
    if reader.isText, let text = value.string?.lowercased(), text == "true" || text == "false" { return text == "true" }
    guard case .bool(let flag) = value else {
      wrongType(name, "a Boolean")
      return nil
    }
    return flag
  }

  package func object(_ name: String) -> Members? {
    guard let value = find(name) else { return nil }
    guard case .object(let list) = value else {
      wrongType(name, "a structure")
      return nil
    }
    return Members(reader: reader, prefix: field(name) + ".", members: list)
  }

  package func requiredObject(_ name: String) -> Members? {
    if find(name) == nil { missing(name) }
    return object(name)
  }

  /// A list of strings. `each` speaks of the elements and is reported as one constraint of the list, as AWS does.
  package func strings(_ name: String, count: ClosedRange<Int> = 0...Int.max, each: [Constraint] = []) -> [String]? {
    guard let value = find(name) else { return nil }
    guard let elements = self.elements(value) else {
      wrongType(name, "a list")
      return nil
    }
    var list: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        wrongType(name, "a list of String")
        return nil
      }
      list.append(text)
    }
    let shown = "[\(list.joined(separator: ", "))]"
    if list.count > count.upperBound {
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: "
          + "Member must have length less than or equal to \(count.upperBound)")
    } else if list.count < count.lowerBound {
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: "
          + "Member must have length greater than or equal to \(count.lowerBound)")
    }
    if list.contains(where: { text in each.contains { $0.violation(text) != nil } }) {
      let words = each.flatMap(\.words).joined(separator: ", ")
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: Member must satisfy constraint: [\(words)]")
    }
    return list
  }

  /// An empty list is an empty text in a form.
  private func elements(_ value: JSONValue) -> [JSONValue]? {
    reader.isText && value == .string("") ? [] : value.array
  }

  /// A list of structures.
  package func objects(_ name: String, count: ClosedRange<Int> = 0...Int.max) -> [Members]? {
    guard let value = find(name) else { return nil }
    guard let elements = self.elements(value) else {
      wrongType(name, "a list")
      return nil
    }
    var list: [Members] = []
    for (i, element) in elements.enumerated() {
      guard case .object(let members) = element else {
        wrongType(name, "a list of structures")
        return nil
      }
      list.append(Members(reader: reader, prefix: "\(field(name)).\(i + 1).member.", members: members))
    }
    if list.count > count.upperBound || list.count < count.lowerBound {
      let bound =
        list.count > count.upperBound
        ? "less than or equal to \(count.upperBound)" : "greater than or equal to \(count.lowerBound)"
      reader.violate(
        "Value '\(value.text)' at '\(field(name))' failed to satisfy constraint: Member must have length \(bound)")
    }
    return list
  }

  package func requiredObjects(_ name: String, count: ClosedRange<Int> = 0...Int.max) -> [Members] {
    if find(name) == nil { missing(name) }
    return objects(name, count: count) ?? []
  }

  package func requiredStrings(
    _ name: String, count: ClosedRange<Int> = 0...Int.max, each: [Constraint] = []
  ) -> [String] {
    if find(name) == nil { missing(name) }
    return strings(name, count: count, each: each) ?? []
  }

  /// A map of strings, in the order of the request.
  package func map(
    _ name: String, keys: [Constraint] = [], values: [Constraint] = [], count: ClosedRange<Int> = 0...Int.max
  ) -> [(key: String, value: String)]? {
    guard let value = find(name) else { return nil }
    guard case .object(let members) = value else {
      wrongType(name, "a map")
      return nil
    }
    var map: [(key: String, value: String)] = []
    for member in members where member.value != .null {
      guard case .string(let text) = member.value else {
        wrongType(name, "a map of String")
        return nil
      }
      map.append((member.name, text))
      reader.checkText(member.name, at: field(name))
      reader.checkText(text, at: field(name))
    }
    let shown = "{\(map.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))}"
    checkCount(map.count, count, shown, name)
    if map.contains(where: { pair in keys.contains { $0.violation(pair.key) != nil } }) {
      let words = keys.flatMap(\.words).joined(separator: ", ")
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: Map keys must satisfy constraint: [\(words)]"
      )
    }
    if map.contains(where: { pair in values.contains { $0.violation(pair.value) != nil } }) {
      let words = values.flatMap(\.words).joined(separator: ", ")
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: Map value must satisfy constraint: [\(words)]"
      )
    }
    return map
  }

  package func requiredMap(_ name: String, keys: [Constraint] = [], values: [Constraint] = [])
    -> [(key: String, value: String)]
  {
    if find(name) == nil { missing(name) }
    return map(name, keys: keys, values: values) ?? []
  }

  private func checkCount(_ number: Int, _ range: ClosedRange<Int>, _ shown: String, _ name: String) {
    let words =
      number > range.upperBound
      ? "less than or equal to \(range.upperBound)"
      : number < range.lowerBound ? "greater than or equal to \(range.lowerBound)" : nil
    if let words {
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: Member must have length \(words)")
    }
  }

  /// A map of lists of strings, in the order of the request.
  package func lists(
    _ name: String, count: ClosedRange<Int>, keys: [Constraint], lengths: ClosedRange<Int>, each: [Constraint]
  ) -> [(key: String, value: [String])]? {
    guard let value = find(name) else { return nil }
    guard case .object(let members) = value else {
      wrongType(name, "a map")
      return nil
    }
    var map: [(key: String, value: [String])] = []
    for member in members where member.value != .null {
      guard let list = member.value.array, !list.contains(where: { $0.string == nil }) else {
        wrongType(name, "a map of lists of String")
        return nil
      }
      map.append((member.name, list.compactMap(\.string)))
    }
    let shown = "{\(map.map { "\($0.key)=[\($0.value.joined(separator: ", "))]" }.joined(separator: ", "))}"
    checkCount(map.count, count, shown, name)
    if map.contains(where: { pair in keys.contains { $0.violation(pair.key) != nil } }) {
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: "
          + "Map keys must satisfy constraint: [\(keys.flatMap(\.words).joined(separator: ", "))]")
    }
    if map.contains(where: { pair in
      !lengths.contains(pair.value.count) || pair.value.contains { text in each.contains { $0.violation(text) != nil } }
    }) {
      let words = Constraint.length(lengths.lowerBound, lengths.upperBound).words
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: Map value must satisfy constraint: "
          + "[\((words + each.flatMap(\.words)).joined(separator: ", "))]")
    }
    return map
  }

  /// A map of numbers, in the order of the request.
  package func numbers(_ name: String, keys: [Constraint] = [], in range: ClosedRange<Double>) -> [(
    key: String, value: Double
  )]? {
    guard let value = find(name) else { return nil }
    guard case .object(let members) = value else {
      wrongType(name, "a map")
      return nil
    }
    var map: [(key: String, value: Double)] = []
    for member in members where member.value != .null {
      guard let number = member.value.number else {
        wrongType(name, "a map of Double")
        return nil
      }
      map.append((member.name, number))
    }
    let shown = "{\(map.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))}"
    if map.contains(where: { pair in keys.contains { $0.violation(pair.key) != nil } }) {
      let words = keys.flatMap(\.words).joined(separator: ", ")
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: "
          + "Map keys must satisfy constraint: [\(words)]")
    }
    if map.contains(where: { !range.contains($0.value) }) {
      reader.violate(
        "Value '\(shown)' at '\(field(name))' failed to satisfy constraint: Map value must satisfy constraint: "
          + "[Member must have value less than or equal to \(range.upperBound), "
          + "Member must have value greater than or equal to \(range.lowerBound), Member must not be null]")
    }
    return map
  }

  package func requiredBlob(_ name: String) -> ByteBuffer {
    if find(name) == nil { missing(name) }
    return blob(name) ?? ByteBuffer()
  }

  /// Base64 in JSON, bytes in the program.
  package func blob(_ name: String) -> ByteBuffer? {
    guard let value = find(name) else { return nil }
    guard case .string(let text) = value, let bytes = Base64.decode(text) else {
      wrongType(name, "a Blob")
      return nil
    }
    return bytes
  }
}

extension Constraint {
  /// All of a constraint's words, as a list constraint shows them.
  var words: [String] {
    switch self {
    case .pattern(let pattern): ["Member must satisfy regular expression pattern: \(pattern.text)"]
    case .length(let low, let high):
      (high.map { ["Member must have length less than or equal to \($0)"] } ?? [])
        + (low.map { ["Member must have length greater than or equal to \($0)"] } ?? [])
    case .oneOf(let values): ["Member must satisfy enum value set: [\(values.joined(separator: ", "))]"]
    }
  }
}
