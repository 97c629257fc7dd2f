// JSON that is looked into without being built: the members that a pattern or a query wants, and no others.
import MartletCore
import MartletWire

struct LazyJSON {
  /// What a value is.
  enum Value: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case object
    case array
  }

  let bytes: UnsafeRawBufferPointer
  /// Where the value begins.
  let root: Int

  /// nil unless the text is an object or an array of JSON.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var start = 0
    while start < bytes.count, bytes[start] <= 0x20 { start += 1 }
    guard start < bytes.count, bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "["),
      JSONScanner.flaw(in: bytes) == nil
    else { return nil }
    self.bytes = bytes
    root = start
  }

  // MARK: - Steps

  private func blank(_ at: Int) -> Int {
    var at = at
    while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    return at
  }

  /// Behind the string that begins at `at`.
  private func endOfString(_ at: Int) -> Int {
    var at = at + 1
    while bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
    return at + 1
  }

  /// Behind the value that begins at `at`.
  func end(_ at: Int) -> Int {
    switch bytes[at] {
    case UInt8(ascii: "\""): return endOfString(at)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      var depth = 0
      var at = at
      while true {
        switch bytes[at] {
        case UInt8(ascii: "\""):
          at = endOfString(at)
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        at += 1
        if depth == 0 { return at }
      }
    default:
      var at = at
      while at < bytes.count {
        switch bytes[at] {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0...0x20: return at
        default: at += 1
        }
      }
      return at
    }
  }

  /// The members of an object, until `body` returns false. The name is its bytes between the quotes.
  func forEachMember(_ at: Int, _ body: (_ name: UnsafeRawBufferPointer, _ value: Int) -> Bool) {
    guard bytes[at] == UInt8(ascii: "{") else { return }
    var at = blank(at + 1)
    while bytes[at] != UInt8(ascii: "}") {
      if bytes[at] == UInt8(ascii: ",") { at = blank(at + 1) }
      let end = endOfString(at)
      let name = UnsafeRawBufferPointer(rebasing: bytes[(at + 1)..<(end - 1)])
      let value = blank(blank(end) + 1)
      guard body(name, value) else { return }
      at = blank(self.end(value))
    }
  }

  /// The elements of an array, until `body` returns false.
  func forEachElement(_ at: Int, _ body: (_ value: Int) -> Bool) {
    guard bytes[at] == UInt8(ascii: "[") else { return }
    var at = blank(at + 1)
    while bytes[at] != UInt8(ascii: "]") {
      if bytes[at] == UInt8(ascii: ",") { at = blank(at + 1) }
      guard body(at) else { return }
      at = blank(end(at))
    }
  }

  /// The member of that name; the last one if it is repeated. Names with escapes are compared as they mean.
  func member(_ name: [UInt8], of at: Int) -> Int? {
    var found: Int?
    forEachMember(at) { bytes, value in
      if bytes.count == name.count ? bytes.elementsEqual(name) : isEscaped(bytes, as: name) {
        found = value
      }
      return true
    }
    return found
  }

  private func isEscaped(_ bytes: UnsafeRawBufferPointer, as name: [UInt8]) -> Bool {
    bytes.count > name.count && bytes.contains(UInt8(ascii: "\\")) && Array(LazyJSON.text(bytes).utf8) == name
  }

  func element(_ index: Int, of at: Int) -> Int? {
    var (found, count) = (Int?.none, 0)
    forEachElement(at) { value in
      if count == index { found = value }
      count += 1
      return found == nil
    }
    return found
  }

  // MARK: - Values

  /// The text between two quotes.
  static func text(_ inside: UnsafeRawBufferPointer) -> String {
    guard inside.contains(UInt8(ascii: "\\")) else { return String(decoding: inside, as: UTF8.self) }
    let quoted = "\"" + String(decoding: inside, as: UTF8.self) + "\""
    return (try? JSONValue(parsing: quoted))?.string ?? String(decoding: inside, as: UTF8.self)
  }

  func value(_ at: Int) -> Value {
    switch bytes[at] {
    case UInt8(ascii: "\""):
      return .string(LazyJSON.text(UnsafeRawBufferPointer(rebasing: bytes[(at + 1)..<(endOfString(at) - 1)])))
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "t"): return .bool(true)
    case UInt8(ascii: "f"): return .bool(false)
    case UInt8(ascii: "n"): return .null
    default: return .number(number(at))
    }
  }

  private func number(_ at: Int) -> Double {
    let digits = bytes[at..<end(at)]
    // Most numbers are short and whole.
    if digits.count < 16, digits.allSatisfy({ (48...57).contains($0) }) {
      return Double(digits.reduce(0) { $0 * 10 + Int($1 - 48) })
    }
    return Double(String(decoding: digits, as: UTF8.self)) ?? 0
  }

  /// The value as it stands in the text; strings without their quotes.
  func text(_ at: Int) -> String {
    if case .string(let text) = value(at) { return text }
    return String(decoding: bytes[at..<end(at)], as: UTF8.self)
  }
}
