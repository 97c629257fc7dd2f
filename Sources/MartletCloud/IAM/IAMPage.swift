// How IAM's lists are read in parts: `Marker`, `MaxItems`, `IsTruncated`.
import MartletCore
import MartletWire
import NIOCore

struct IAMPage: Sendable {
  private let marker: String?
  private let count: Int
  private static let usualCount = 100

  init(_ m: Members) {
    marker = m.string("Marker", .length(1, 320), .pattern(Pattern(#"[\u0020-\u00FF]+"#)))
    count = m.integer("MaxItems", in: 1...1000) ?? IAMPage.usualCount
  }

  struct Part<Element: Sendable>: Sendable {
    var elements: [Element]
    var marker: String?
  }

  /// A part of a list that is in the order of `name`.
  func cut<Element: Sendable>(
    _ all: [Element], by name: (Element) -> String
  ) throws(AWSError) -> Part<Element> {
    var rest = all[...]
    if let marker {
      guard let bytes = Base64.decode(marker) else { throw .iamInvalidMarker() }
      let last = String(buffer: bytes)
      rest = rest.drop { name($0) <= last }
    }
    let part = Array(rest.prefix(count))
    guard part.count < rest.count, let last = part.last else { return Part(elements: part) }
    return Part(elements: part, marker: Base64.encode(Array(name(last).utf8)))
  }
}

/// The answer of most lists: a list of structures and where it goes on.
struct IAMList<Element: Sendable>: Writable, Sendable {
  let member: String
  let part: IAMPage.Part<Element>
  let writeElement: @Sendable (inout MemberWriter, Element) -> Void

  init(
    _ member: String, _ part: IAMPage.Part<Element>, _ write: @escaping @Sendable (inout MemberWriter, Element) -> Void
  ) {
    self.member = member
    self.part = part
    writeElement = write
  }

  func write(to w: inout Writer) {
    w.body { w in
      w.list(member, part.elements, writeElement)
      w.member("IsTruncated", part.marker != nil)
      w.member("Marker", part.marker)
    }
  }
}

/// The same for a list of names.
struct IAMNames: Writable, Sendable {
  let member: String
  let part: IAMPage.Part<String>

  func write(to w: inout Writer) {
    w.body { w in
      w.member(member, part.elements)
      w.member("IsTruncated", part.marker != nil)
      w.member("Marker", part.marker)
    }
  }
}

/// The answer of what shows one thing: `<Role>…</Role>`.
struct IAMShown<Record: IAMResource>: Writable, Sendable {
  let record: Record
  init(_ record: Record) { self.record = record }
  func write(to w: inout Writer) { w.body { $0.object(Record.noun.title, record.write(to:)) } }
}
