// Reads the heads of plain HTTP/1.1 requests from the bytes that came (docs/decisions/011-plain-heads.md). What is not
// plain in any way is left to NIO's decoder, which knows all of HTTP: this one never refuses a request.
import NIOCore
import NIOHTTP1

/// What stands at the beginning of some bytes.
enum HTTPPlainHead {
  /// - Parameters:
  ///   - size: of the head, in bytes.
  ///   - bodyLength: the bytes of body that follow it.
  case head(HTTPRequestHead, size: Int, bodyLength: Int, keepsAlive: Bool)
  /// So far the beginning of a plain head.
  case incomplete
  /// Something else, right or wrong.
  case unusual

  /// A head of more bytes is unusual.
  static let largest = 16_384
  private static let mostHeaders = 64

  init(_ bytes: ByteBuffer) { self = bytes.withUnsafeReadableBytes { HTTPPlainHead.read($0) } }

  private static func read(_ raw: UnsafeRawBufferPointer) -> HTTPPlainHead {
    let bytes = raw.bindMemory(to: UInt8.self)
    let ifShort: HTTPPlainHead = bytes.count < largest ? .incomplete : .unusual
    guard let (named, start) = method(of: bytes) else { return ifShort }
    guard let method = named else { return .unusual }
    var position = start
    while position < bytes.count, isTarget(bytes[position]) { position += 1 }
    guard position < bytes.count else { return position == start || bytes[start] == slash ? ifShort : .unusual }
    guard position > start, bytes[start] == slash else { return .unusual }
    let uri = text(bytes, start..<position)
    switch expect(version, in: bytes, at: &position) {
    case true?: break
    case false?: return .unusual
    case nil: return ifShort
    }
    var fields = Fields()
    while true {
      guard position < bytes.count else { return ifShort }
      if bytes[position] == carriageReturn {
        guard position + 1 < bytes.count else { return ifShort }
        guard bytes[position + 1] == lineFeed, position + 2 <= largest else { return .unusual }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: HTTPHeaders(fields.list))
        return .head(head, size: position + 2, bodyLength: fields.bodyLength ?? 0, keepsAlive: fields.keepsAlive)
      }
      switch field(in: bytes, at: &position, &fields) {
      case true?: break
      case false?: return .unusual
      case nil: return ifShort
      }
    }
  }

  /// What the fields say that were read so far.
  private struct Fields {
    var list: [(String, String)] = []
    var bodyLength: Int?
    var keepsAlive = true

    init() { list.reserveCapacity(12) }

    /// False if the field changes how the message is to be read.
    mutating func add(_ name: String, _ value: String) -> Bool {
      guard list.count < HTTPPlainHead.mostHeaders else { return false }
      switch name.utf8.count {
      case 7 where HTTPPlainHead.isSame(name, "upgrade"): return false
      case 10 where HTTPPlainHead.isSame(name, "connection"):
        if HTTPPlainHead.isSame(value, "close") {
          keepsAlive = false
        } else if !HTTPPlainHead.isSame(value, "keep-alive") {
          return false
        }
      case 14 where HTTPPlainHead.isSame(name, "content-length"):
        guard bodyLength == nil, (1...15).contains(value.utf8.count),
          value.utf8.allSatisfy({ (48...57).contains($0) }), let length = Int(value)
        else { return false }
        bodyLength = length
      case 16 where HTTPPlainHead.isSame(name, "proxy-connection"): return false
      case 17 where HTTPPlainHead.isSame(name, "transfer-encoding"): return false
      default: break
      }
      list.append((name, value))
      return true
    }
  }

  /// `Name: value` and the end of its line. False if it is anything else, nil if its end has not come yet.
  private static func field(
    in bytes: UnsafeBufferPointer<UInt8>, at position: inout Int, _ fields: inout Fields
  ) -> Bool? {
    let start = position
    while position < bytes.count, isToken(bytes[position]) { position += 1 }
    guard position < bytes.count else { return nil }
    guard position > start, bytes[position] == UInt8(ascii: ":") else { return false }
    let name = start..<position
    position += 1
    while position < bytes.count, bytes[position] == space { position += 1 }
    let first = position
    while position < bytes.count, (0x20..<0x7f).contains(bytes[position]) { position += 1 }
    guard position < bytes.count else { return nil }
    guard bytes[position] == carriageReturn, position > first, bytes[position - 1] != space else { return false }
    guard position + 1 < bytes.count else { return nil }
    guard bytes[position + 1] == lineFeed else { return false }
    let isPlain = fields.add(text(bytes, name), text(bytes, first..<position))
    position += 2
    return isPlain
  }

  // MARK: - Bytes

  private static let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
  private static let (space, slash) = (UInt8(ascii: " "), UInt8(ascii: "/"))
  private static let version: StaticString = " HTTP/1.1\r\n"

  /// The method of a plain request, and where its target begins; without a method if it is another one, and nil if it
  /// may still become one.
  private static func method(of bytes: UnsafeBufferPointer<UInt8>) -> (HTTPMethod?, end: Int)? {
    var (position, isBegun) = (0, false)
    func begins(_ name: StaticString) -> Bool {
      let found = expect(name, in: bytes, at: &position)
      if found == nil { isBegun = true }
      return found == true
    }
    if begins("POST ") { return (.POST, position) }
    if begins("GET ") { return (.GET, position) }
    if begins("PUT ") { return (.PUT, position) }
    if begins("DELETE ") { return (.DELETE, position) }
    if begins("HEAD ") { return (.HEAD, position) }
    if begins("PATCH ") { return (.PATCH, position) }
    return isBegun ? nil : (nil, 0)
  }

  /// Whether `text` stands at `position`, which then moves behind it; nil if the bytes end in the middle of it.
  private static func expect(
    _ text: StaticString, in bytes: UnsafeBufferPointer<UInt8>, at position: inout Int
  ) -> Bool? {
    let (there, start) = (min(text.utf8CodeUnitCount, bytes.count - position), text.utf8Start)
    for i in 0..<there where bytes[position + i] != start[i] { return false }
    guard there == text.utf8CodeUnitCount else { return nil }
    position += there
    return true
  }

  private static func text(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }

  /// - Parameter lower: in lower case, as long as `text`.
  private static func isSame(_ text: String, _ lower: StaticString) -> Bool {
    guard text.utf8.count == lower.utf8CodeUnitCount else { return false }
    var i = 0
    for byte in text.utf8 {
      let small = (65...90).contains(byte) ? byte | 0x20 : byte
      guard small == lower.utf8Start[i] else { return false }
      i += 1
    }
    return true
  }

  /// RFC 9110, 5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 94...122, 33, 35...39, 42, 43, 45, 46, 124, 126: true
    default: false
    }
  }

  /// What RFC 3986 allows in paths and queries.
  private static func isTarget(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 63...90, 97...122, 33, 36...47, 58, 59, 61, 95, 126: true
    default: false
    }
  }
}
