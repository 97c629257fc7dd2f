// Writes and reads what OTLP needs of the protobuf wire format. Our own, because that is four kinds of fields in a
// dozen messages: swift-protobuf and what it generates would be compiled in every build, debug and release, instead of
// these lines. Checked with the decoder that OpenTelemetry ships (Tests/EndToEndTests/test_opentelemetry.py).
// https://protobuf.dev/programming-guides/encoding/

struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func tag(_ field: Int, _ kind: UInt64) { varint(UInt64(field) << 3 | kind) }

  private mutating func little<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Zero is what a field is without being written.
  mutating func number(_ field: Int, _ value: Int64) {
    guard value != 0 else { return }
    always(field, value)
  }

  /// A member of a choice is written even if it is zero.
  mutating func always(_ field: Int, _ value: Int64) {
    tag(field, 0)
    varint(UInt64(bitPattern: value))
  }

  mutating func fixed(_ field: Int, _ value: UInt64) {
    guard value != 0 else { return }
    tag(field, 1)
    little(value)
  }

  mutating func fixed32(_ field: Int, _ value: UInt32) {
    guard value != 0 else { return }
    tag(field, 5)
    little(value)
  }

  /// Written even if it is zero.
  mutating func double(_ field: Int, _ value: Double) {
    tag(field, 1)
    little(value.bitPattern)
  }

  mutating func text(_ field: Int, _ value: String) {
    if !value.isEmpty { always(field, value) }
  }

  mutating func always(_ field: Int, _ value: String) {
    tag(field, 2)
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func bytes(_ field: Int, _ value: [UInt8]) {
    guard !value.isEmpty else { return }
    tag(field, 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Eight bytes each, behind each other.
  mutating func packed(_ field: Int, _ values: [UInt64]) {
    guard !values.isEmpty else { return }
    tag(field, 2)
    varint(UInt64(values.count * 8))
    for value in values { little(value) }
  }

  /// A message in the message; `body` writes its fields.
  mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    tag(field, 2)
    let place = bytes.count
    // Most are so short that one byte tells their length.
    bytes.append(0)
    body(&self)
    let length = bytes.count - place - 1
    if length < 0x80 {
      bytes[place] = UInt8(length)
    } else {
      var head = ProtobufWriter()
      head.varint(UInt64(length))
      bytes.replaceSubrange(place...place, with: head.bytes)
    }
  }
}

/// The fields of a message, one after the other.
struct ProtobufReader {
  enum Value: Equatable {
    case number(UInt64)
    case bytes([UInt8])
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Collection<UInt8>) { rest = ArraySlice(Array(bytes)) }

  /// nil at the end, and where the bytes are no message.
  mutating func next() -> (field: Int, value: Value)? {
    guard let tag = varint() else { return nil }
    let field = Int(truncatingIfNeeded: tag >> 3)
    switch tag & 7 {
    case 0: return varint().map { (field, .number($0)) }
    case 1: return take(8).map { (field, .number(ProtobufReader.little($0))) }
    case 5: return take(4).map { (field, .number(ProtobufReader.little($0))) }
    case 2:
      guard let length = varint(), length <= UInt64(rest.count) else { return nil }
      return take(Int(length)).map { (field, .bytes($0)) }
    default: return nil
    }
  }

  private mutating func take(_ count: Int) -> [UInt8]? {
    guard count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  private static func little(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}
