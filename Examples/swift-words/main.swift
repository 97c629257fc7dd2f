// Counts words, in Swift without Foundation: the Runtime API over raw sockets, JSON by hand, one static program.
// Event: {"text": "..."} or just a string.
import Glibc

// MARK: - JSON

enum JSON {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSON])
  case object([String: JSON])
}

struct SyntaxError: Error {
  let message: String
}

struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0

  static func read(_ bytes: [UInt8]) throws -> JSON {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.unexpected("something after the end") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func unexpected(_ what: String) -> SyntaxError {
    SyntaxError(message: "The event is not JSON: \(what) at byte \(position)")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func take(word: StaticString, _ value: JSON) throws -> JSON {
    for offset in 0..<word.utf8CodeUnitCount {
      guard position < bytes.count, bytes[position] == word.utf8Start[offset] else {
        throw unexpected("an unknown word")
      }
      position += 1
    }
    return value
  }

  private mutating func value(depth: Int) throws -> JSON {
    guard depth < 256 else { throw unexpected("too deep a nesting") }
    skipSpace()
    guard position < bytes.count else { throw unexpected("the end") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try take(word: "true", .bool(true))
    case UInt8(ascii: "f"): return try take(word: "false", .bool(false))
    case UInt8(ascii: "n"): return try take(word: "null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws -> JSON {
    var members: [String: JSON] = [:]
    position += 1
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw unexpected("a missing name") }
      let name = try string()
      guard take(":") else { throw unexpected("a missing colon") }
      members[name] = try value(depth: depth + 1)
    } while take(",")
    guard take("}") else { throw unexpected("an object without end") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> JSON {
    var items: [JSON] = []
    position += 1
    if take("]") { return .array(items) }
    repeat { items.append(try value(depth: depth + 1)) } while take(",")
    guard take("]") else { throw unexpected("a list without end") }
    return .array(items)
  }

  private mutating func number() throws -> JSON {
    let start = position
    while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard Double(text) != nil else { throw unexpected("something unknown") }
    return .number(text)
  }

  private mutating func string() throws -> String {
    var content: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"): content += try escape()
      case 0..<0x20: throw unexpected("a control character")
      default: content.append(byte)
      }
    }
    throw unexpected("a text without end")
  }

  private mutating func escape() throws -> [UInt8] {
    guard position < bytes.count else { throw unexpected("the end") }
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "u"): return try Array(String(unicodeEscape()).utf8)
    case let byte where "\"\\/".utf8.contains(byte): return [byte]
    default: throw unexpected("an unknown escape")
    }
  }

  /// What follows `\u`; two surrogates make one character, a lone one is U+FFFD.
  private mutating func unicodeEscape() throws -> Unicode.Scalar {
    let first = try fourDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == UInt8(ascii: "u")
    else {
      return "\u{FFFD}"
    }
    position += 2
    let second = try fourDigits()
    guard (0xDC00...0xDFFF).contains(second) else { return "\u{FFFD}" }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func fourDigits() throws -> UInt32 {
    guard position + 4 <= bytes.count,
      let number = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw unexpected("a bad \\u escape") }
    position += 4
    return number
  }
}

func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

// MARK: - The function

struct BadRequest: Error {
  let message: String
}

func handle(_ event: [UInt8]) throws -> String {
  let text: String
  switch try JSONReader.read(event) {
  case .string(let plain): text = plain
  case .object(let members):
    guard case .string(let member)? = members["text"] else {
      throw BadRequest(message: "The event must have \"text\", a string")
    }
    text = member
  default: throw BadRequest(message: "The event must be a string or an object with \"text\"")
  }
  var counts: [String: Int] = [:]
  var words = 0
  for word in text.lowercased().split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "'") }) {
    counts[String(word), default: 0] += 1
    words += 1
  }
  log("\(words) words, \(counts.count) different")
  let top = counts.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }.prefix(5)
  let list = top.map { "{\"word\":\(quoted($0.key)),\"count\":\($0.value)}" }.joined(separator: ",")
  return "{\"words\":\(words),\"unique\":\(counts.count),\"characters\":\(text.count),\"top\":[\(list)]}"
}

// MARK: - The Runtime API

func log(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = write(STDOUT_FILENO, bytes, bytes.count)
}

func giveUp(_ reason: String) -> Never {
  log("giving up: \(reason), errno \(errno)")
  exit(1)
}

struct RuntimeAPI {
  let address: String
  private let descriptor: Int32

  init(address: String) {
    self.address = address
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
      giveUp("AWS_LAMBDA_RUNTIME_API is \(address)")
    }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    guard inet_pton(AF_INET, String(address[..<colon]), &name.sin_addr) == 1 else {
      giveUp("not an address: \(address)")
    }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    let descriptor = descriptor
    let connected = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { giveUp("connect to \(address)") }
  }

  func request(_ method: String, _ path: String, _ body: String = "") -> (headers: [String: String], body: [UInt8]) {
    let head =
      "\(method) /2018-06-01/runtime/\(path) HTTP/1.1\r\nHost: \(address)\r\n"
      + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    var rest = Array((head + body).utf8)[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard sent > 0 else { giveUp("send") }
      rest = rest.dropFirst(sent)
    }
    return receive()
  }

  private func receive() -> (headers: [String: String], body: [UInt8]) {
    var bytes: [UInt8] = []
    var scanned = 0
    while true {
      more(&bytes, atMost: 65536)
      while scanned + 4 <= bytes.count, bytes[scanned..<scanned + 4] != [13, 10, 13, 10] { scanned += 1 }
      guard scanned + 4 <= bytes.count else { continue }
      let headers = fields(String(decoding: bytes[..<scanned], as: UTF8.self))
      let length = scanned + 4 + (Int(headers["content-length"] ?? "0") ?? 0)
      bytes.reserveCapacity(length)
      while bytes.count < length { more(&bytes, atMost: length - bytes.count) }
      return (headers, Array(bytes[(scanned + 4)...]))
    }
  }

  private func more(_ bytes: inout [UInt8], atMost count: Int) {
    let piece = [UInt8](unsafeUninitializedCapacity: min(count, 1 << 20)) { buffer, filled in
      filled = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
    }
    guard !piece.isEmpty else { giveUp("the Runtime API is gone") }
    bytes += piece
  }

  private func fields(_ head: String) -> [String: String] {
    var fields: [String: String] = [:]
    for line in head.split(separator: "\r\n").dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields[line[..<colon].lowercased()] = String(value)
    }
    return fields
  }
}

func errorDocument(_ type: String, _ message: String) -> String {
  "{\"errorMessage\":\(quoted(message)),\"errorType\":\(quoted(type))}"
}

guard let address = getenv("AWS_LAMBDA_RUNTIME_API") else { giveUp("AWS_LAMBDA_RUNTIME_API is not set") }
let api = RuntimeAPI(address: String(cString: address))
while true {
  let (headers, event) = api.request("GET", "invocation/next")
  let target = "invocation/\(headers["lambda-runtime-aws-request-id"] ?? "")"
  do {
    _ = api.request("POST", "\(target)/response", try handle(event))
  } catch let error as SyntaxError {
    _ = api.request("POST", "\(target)/error", errorDocument("Function.SyntaxError", error.message))
  } catch let error as BadRequest {
    _ = api.request("POST", "\(target)/error", errorDocument("Function.BadRequest", error.message))
  }
}
