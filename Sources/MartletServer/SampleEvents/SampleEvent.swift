// A sample of an event as AWS sends it: a template in JSON, and what of it can be chosen. Pure but for chance and time.
import MartletCore
import MartletWire
import NIOCore

package struct SampleEvent: Sendable {
  /// Something that can be chosen.
  package struct Field: Sendable, Equatable {
    package let name: String
    /// May itself have placeholders of other fields in it.
    package let usual: String
    package let help: String

    package init(_ name: String, _ usual: String, _ help: String) {
      (self.name, self.usual, self.help) = (name, usual, help)
    }
  }

  package let source: String
  package let type: String
  /// One line.
  package let abstract: String
  /// Besides those that all events have.
  package let fields: [Field]
  let template: String

  init(_ source: String, _ type: String, _ abstract: String, _ fields: [Field], _ template: String) {
    self.source = source
    self.type = type
    self.abstract = abstract
    self.fields = fields
    self.template = template
  }

  /// What every event can be told.
  package static let common = [
    Field("region", "us-east-1", "Region."), Field("account", "000000000000", "Account, twelve digits."),
    Field("time", "", "Moment of the event, such as 2027-01-01T00:00:00Z (default: now)."),
  ]

  package static func find(_ source: String, _ type: String) -> SampleEvent? {
    all.first { $0.source == source && $0.type == type }
  }

  /// The event with the values that were chosen; the others are the usual ones.
  /// - Parameters:
  ///   - moment: of the event, and of everything in it that has a date.
  ///   - world: for ids.
  /// - Throws: what is wrong with the values, for the user.
  package func make(
    _ chosen: [String: String] = [:], at moment: Timestamp, _ world: any World
  ) throws(SampleFlaw) -> JSONValue {
    for name in chosen.keys.sorted() where !(fields + SampleEvent.common).contains(where: { $0.name == name }) {
      let known = (fields + SampleEvent.common).map { "--\($0.name)" }.joined(separator: ", ")
      throw SampleFlaw("\(source) \(type) has no --\(name); it has \(known)")
    }
    var maker = SampleMaker(moment: moment, world: world)
    for field in SampleEvent.common + fields {
      if let value = chosen[field.name] {
        maker.values[field.name] = value
      } else {
        maker.values[field.name] = try maker.text(field.usual)
      }
    }
    guard let tree = try? JSONValue(parsing: template) else {
      throw SampleFlaw("the template of \(source) \(type) is no JSON")
    }
    return try maker.filled(tree)
  }
}

/// What is wrong with what a user asked for.
package struct SampleFlaw: Error, Equatable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}

/// Fills the placeholders of a template: `{{name}}`, or `{{name|filter|…}}`.
private struct SampleMaker {
  let moment: Timestamp
  let world: any World
  var values: [String: String] = [:]

  /// Stands for a member that is left out.
  private static let absent = JSONValue.object([.init("absent", .null)])

  /// The members of what stands under `+` are taken into the object.
  func filled(_ value: JSONValue) throws(SampleFlaw) -> JSONValue {
    switch value {
    case .string(let text): return try string(text)
    case .array(let elements):
      var out: [JSONValue] = []
      for element in elements { out.append(try filled(element)) }
      return .array(out)
    case .object(let members):
      var out: [JSONValue.Member] = []
      for member in members {
        let name = try text(member.name)
        let value = try filled(member.value)
        if value == SampleMaker.absent { continue }
        guard name == "+" else {
          out.append(.init(name, value))
          continue
        }
        for more in value.members ?? [] {
          out.removeAll { $0.name == more.name }
          out.append(more)
        }
      }
      return .object(out)
    default: return value
    }
  }

  /// A text that is nothing but one placeholder becomes what its filters make of it; otherwise it stays a text.
  private func string(_ text: String) throws(SampleFlaw) -> JSONValue {
    if text.hasPrefix("{{"), text.hasSuffix("}}"), !text.dropFirst(2).contains("{{") {
      return try value(String(text.dropFirst(2).dropLast(2)))
    }
    return .string(try self.text(text))
  }

  func text(_ text: String) throws(SampleFlaw) -> String {
    var out = ""
    var rest = text[...]
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      out += rest[..<open.lowerBound]
      let found = try value(String(rest[open.upperBound..<close.lowerBound]))
      out += found.string ?? found.text
      rest = rest[close.upperBound...]
    }
    return out + rest
  }

  private func value(_ placeholder: String) throws(SampleFlaw) -> JSONValue {
    let parts = placeholder.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    guard let plain = values[parts[0]] ?? builtIn(parts[0]) else {
      throw SampleFlaw("no value for {{\(placeholder)}}")
    }
    var value = JSONValue.string(plain)
    for filter in parts.dropFirst() { value = try filtered(value, filter, of: parts[0]) }
    return value
  }

  /// What needs no choice: moments in AWS's several forms, and ids.
  private func builtIn(_ name: String) -> String? {
    switch name {
    case "now": return moment.iso8601
    case "now-seconds": return moment.iso8601Seconds
    case "now-epoch": return String(moment.seconds)
    case "now-milliseconds": return String(moment.milliseconds)
    case "now-decimal": return "\(moment.seconds).\(String(moment.milliseconds % 1000 + 1000).dropFirst())"
    case "now-date": return moment.logDate
    case "now-log": return moment.commonLog
    case "now-http": return moment.httpDate
    case "uuid": return RequestID(from: world).description
    default: break
    }
    if name.hasPrefix("hex"), let count = Int(name.dropFirst(3)) { return randomHex(count, from: world) }
    if name.hasPrefix("HEX"), let count = Int(name.dropFirst(3)) {
      return randomHex(count, from: world).uppercased()
    }
    if name.hasPrefix("digits"), let count = Int(name.dropFirst(6)) {
      return (0..<count).map { String($0 == 0 ? world.random() % 9 + 1 : world.random() % 10) }.joined()
    }
    if name.hasPrefix("letters"), let count = Int(name.dropFirst(7)) {
      let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
      return String((0..<count).map { _ in alphabet[Int(world.random() % 36)] })
    }
    return nil
  }

  private func filtered(_ value: JSONValue, _ filter: String, of name: String) throws(SampleFlaw) -> JSONValue {
    let text = value.string ?? value.text
    switch filter {
    case "form": return .string(Percent.encode(text).replacing("%20", with: "+").replacing("%2F", with: "/"))
    case "base64": return .string(Base64.encode(Array(text.utf8)))
    case "gzip": return .string(Base64.encode(SampleMaker.gzip(Array(text.utf8))))
    case "md5": return .string(Digest.md5(text))
    case "lower": return .string(text.lowercased())
    case "size": return .integer(Int64(text.utf8.count))
    case "text": return .string(text)
    case "number":
      guard let number = Int64(text) else { throw SampleFlaw("--\(name): \(text) is not a whole number") }
      return .integer(number)
    case "json":
      guard let json = try? JSONValue(parsing: text) else { throw SampleFlaw("--\(name): \(text) is not JSON") }
      return json
    case "query":
      let pairs = text.split(separator: "&").map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return JSONValue.Member(
          Percent.decode(sides[0], plus: true), .string(sides.count > 1 ? Percent.decode(sides[1], plus: true) : ""))
      }
      return pairs.isEmpty ? .null : .object(pairs)
    case "lists":
      guard case .object(let members) = value else { return .null }
      return .object(members.map { .init($0.name, .array([$0.value])) })
    case "optional": return text.isEmpty ? .null : .string(text)
    case "absent": return value == .null || text.isEmpty ? SampleMaker.absent : value
    case "relative": return .string(String(text.drop { $0 == "/" }))
    case "escaped": return .string(String(JSONValue.string(text).text.dropFirst().dropLast()))
    case "object": return value == .null ? .object([]) : value
    default: throw SampleFlaw("no filter \(filter) for {{\(name)}}")
    }
  }

  /// RFC 1952, in blocks that are not compressed.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(65_535)
      rest = rest.dropFirst(block.count)
      let count = UInt16(block.count)
      out.append(rest.isEmpty ? 1 : 0)
      for word in [count, ~count] { out += [UInt8(truncatingIfNeeded: word), UInt8(truncatingIfNeeded: word >> 8)] }
      out += block
    } while !rest.isEmpty
    var sum = CRC32()
    bytes.withUnsafeBytes { sum.update($0) }
    for word in [sum.value, UInt32(truncatingIfNeeded: bytes.count)] {
      for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
    }
    return out
  }
}
