// A form of a browser: its fields, and the file behind them (RFC 7578). In memory, or in a file if it is large.
import Glibc
import MartletCore
import MartletWire
import NIOCore

struct S3Form: Sendable {
  /// In the order in which they came; names in lower case.
  private(set) var fields: [(name: String, value: String)] = []
  /// Where in the form the file's content lies. Fields behind it are not read.
  private(set) var content: Range<Int>?
  private(set) var filename = ""

  /// Bytes of all fields together.
  private static let largestFields = 20 << 10

  /// The first value of a field, by its name in lower case.
  subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  /// Blocks if the form lies in a file.
  /// - Throws: `MalformedPOSTRequest` for what is no form.
  init(_ source: Source, contentType: String) throws(AWSError) {
    guard let boundary = S3Form.boundary(contentType) else { throw .malformedForm() }
    let edge = Array("--\(boundary)".utf8)
    guard try source.starts(with: edge, at: 0) else { throw .malformedForm() }
    var position = edge.count
    var left = S3Form.largestFields
    while content == nil {
      if try source.starts(with: Array("--".utf8), at: position) { return }
      guard try source.starts(with: Array("\r\n".utf8), at: position) else { throw .malformedForm() }
      position += 2
      guard let end = try source.find(Array("\r\n\r\n".utf8), from: position, within: S3Form.largestFields) else {
        throw .malformedForm()
      }
      let head = S3Form.head(String(decoding: try source.bytes(position..<end), as: UTF8.self))
      guard let name = head.name?.lowercased() else { throw .malformedForm() }
      // An empty part may end where its head does.
      let limit = name == "file" ? Int.max : left + 4
      guard let next = try source.find(Array("\r\n".utf8) + edge, from: end + 2, within: limit) else {
        throw .malformedForm()
      }
      let value = (end + 4)..<max(end + 4, next)
      position = next + 2 + edge.count
      if name == "file" {
        // Browsers that send a whole path mean what stands last in it.
        filename = String((head.filename ?? "").split { $0 == "/" || $0 == "\\" }.last ?? "")
        content = value
      } else {
        left -= value.count
        guard left >= 0 else { throw .malformedForm() }
        fields.append((name, String(decoding: try source.bytes(value), as: UTF8.self)))
      }
    }
  }

  private static func boundary(_ contentType: String) -> String? {
    for part in contentType.split(separator: ";").dropFirst() {
      let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      guard pair.count == 2, pair[0].lowercased() == "boundary" else { continue }
      let text = pair[1].filter { $0 != "\"" }
      return (1...70).contains(text.utf8.count) ? text : nil
    }
    return nil
  }

  /// What stands above a part. Its type does not become the object's: a field says that.
  private static func head(_ text: String) -> (name: String?, filename: String?) {
    for line in text.split(separator: "\r\n") {
      let pair = line.split(separator: ":", maxSplits: 1)
      guard pair.count == 2, pair[0].lowercased() == "content-disposition" else { continue }
      let value = String(pair[1].drop { $0 == " " })
      return (parameter("name", of: value), parameter("filename", of: value))
    }
    return (nil, nil)
  }

  /// `name="…"` among the parameters of a header.
  private static func parameter(_ name: String, of header: String) -> String? {
    guard
      let start = header.firstRange(of: "; \(name)=\"")?.upperBound ?? header.firstRange(of: ";\(name)=\"")?.upperBound,
      let end = header[start...].firstIndex(of: "\"")
    else { return nil }
    return String(header[start..<end])
  }
}

extension S3Form {
  /// The bytes of a form.
  enum Source: Sendable {
    case memory(ByteBuffer)
    case file(OpenFile)

    init(_ request: HTTPRequest) { self = request.file.map { .file($0) } ?? .memory(request.body) }

    var size: Int {
      switch self {
      case .memory(let buffer): buffer.readableBytes
      case .file(let file): file.size
      }
    }

    /// Those bytes of a range that are there.
    func bytes(_ range: Range<Int>) throws(AWSError) -> [UInt8] {
      let range = range.clamped(to: 0..<size)
      switch self {
      case .memory(let buffer):
        return buffer.getBytes(at: buffer.readerIndex + range.lowerBound, length: range.count) ?? []
      case .file(let file):
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        do throws(Fault) {
          try file.forEachPiece(in: range) { piece throws(Fault) in bytes += piece }
        } catch {
          throw .service("\(error)")
        }
        return bytes
      }
    }

    func starts(with bytes: [UInt8], at position: Int) throws(AWSError) -> Bool {
      guard position <= size else { return false }
      return try self.bytes(position..<(position + bytes.count)) == bytes
    }

    /// Looked through at once.
    private static let window = 1 << 20

    /// - Parameter limit: of the bytes before it.
    func find(_ needle: [UInt8], from start: Int, within limit: Int) throws(AWSError) -> Int? {
      var position = start
      let (most, isOver) = start.addingReportingOverflow(limit)
      let last = isOver ? size : min(size, most + needle.count)
      while position + needle.count <= last {
        let piece = try bytes(position..<min(last, position + Source.window + needle.count))
        let found = piece.withUnsafeBytes { S3Form.first(needle, in: $0) }
        if let found { return position + found }
        position += Source.window
      }
      return nil
    }
  }
}

extension S3Form {
  /// Where `needle` begins for the first time.
  fileprivate static func first(_ needle: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress, let first = needle.first else { return nil }
    var position = 0
    while position + needle.count <= bytes.count {
      let rest = bytes.count - needle.count - position + 1
      guard let hit = memchr(start + position, Int32(first), rest) else { return nil }
      if memcmp(hit, needle, needle.count) == 0 { return UnsafeRawPointer(hit) - start }
      position = UnsafeRawPointer(hit) - start + 1
    }
    return nil
  }
}
