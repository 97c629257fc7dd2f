// What the elements of a configuration may hold: the rules by which S3 answers MalformedXML.
import MartletCore
import MartletWire

/// The schema of one element.
indirect enum S3Schema: Sendable {
  case text
  case integer
  case flag
  case moment
  case choice([String])
  case of([Field])

  struct Field: Sendable {
    let name: String
    let schema: S3Schema
    let isRequired: Bool
    /// The element may come more than once.
    let isList: Bool

    /// Exactly once.
    static func must(_ name: String, _ schema: S3Schema) -> Field {
      Field(name: name, schema: schema, isRequired: true, isList: false)
    }

    /// At most once.
    static func may(_ name: String, _ schema: S3Schema) -> Field {
      Field(name: name, schema: schema, isRequired: false, isList: false)
    }

    /// As often as you like.
    static func many(_ name: String, _ schema: S3Schema) -> Field {
      Field(name: name, schema: schema, isRequired: false, isList: true)
    }

    /// At least once.
    static func some(_ name: String, _ schema: S3Schema) -> Field {
      Field(name: name, schema: schema, isRequired: true, isList: true)
    }
  }
}

extension S3Schema {
  /// The element as it is kept: without what is between its children.
  /// - Throws: `MalformedXML` if something is missing, is there twice, is unknown, or has the wrong form.
  func checked(_ element: XMLElement) throws(AWSError) -> XMLElement {
    guard case .of(let fields) = self else {
      guard element.children.isEmpty, let text = normalized(element.text) else { throw .malformedXML() }
      return XMLElement(element.name, text: text)
    }
    guard element.text.allSatisfy(\.isWhitespace) else { throw .malformedXML() }
    var counts: [String: Int] = [:]
    var children: [XMLElement] = []
    for child in element.children {
      guard let field = fields.first(where: { $0.name == child.name }) else { throw .malformedXML() }
      counts[child.name, default: 0] += 1
      guard field.isList || counts[child.name] == 1 else { throw .malformedXML() }
      children.append(try field.schema.checked(child))
    }
    guard fields.allSatisfy({ !$0.isRequired || counts[$0.name] != nil }) else { throw .malformedXML() }
    return XMLElement(element.name, children: children)
  }

  /// A text as it is kept; nil if it has the wrong form.
  private func normalized(_ text: String) -> String? {
    let trimmed = text.trimmed
    switch self {
    case .text: return text
    case .integer: return Int(trimmed).map { String($0) }
    case .flag:
      let word = trimmed.lowercased()
      return ["true", "false"].contains(word) ? word : nil
    case .moment: return Timestamp(s3Date: trimmed)?.iso8601
    case .choice(let values): return values.contains(trimmed) ? trimmed : nil
    case .of: return nil
    }
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text = text.dropFirst() }
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
  }
}

extension XMLWriter {
  /// An element that was read.
  mutating func element(_ element: XMLElement, _ attributes: String = "") {
    let attributes = attributes + (element.granteeType.map { "\(XMLElement.schemaInstance) xsi:type=\"\($0)\"" } ?? "")
    if element.children.isEmpty, attributes.isEmpty { return self.element(element.name, element.text) }
    self.element(element.name, attributes) { xml in
      for child in element.children { xml.element(child) }
    }
  }
}

extension XMLElement {
  fileprivate static let schemaInstance = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""

  /// What kind of grantee it is, which an attribute says: the only one in all of S3's documents, and it follows from
  /// how the grantee is named.
  fileprivate var granteeType: String? {
    guard name == "Grantee" else { return nil }
    return child("URI") != nil ? "Group" : child("EmailAddress") != nil ? "AmazonCustomerByEmail" : "CanonicalUser"
  }

  /// The element as it is kept.
  var document: String {
    var xml = XMLWriter()
    xml.element(self)
    return xml.text
  }

  /// Reads what `document` wrote.
  /// - Throws: a `Fault` if the text is damaged.
  init(document: String) throws(Fault) {
    do throws(XMLFlaw) {
      self = try XMLElement(parsing: document.utf8)
    } catch {
      throw Fault("read a configuration", "its row is damaged: \(document.prefix(200))")
    }
  }
}
