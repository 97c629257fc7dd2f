// X-Ray's trace header: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
import MartletCore
import MartletWire

enum TraceHeader {
  /// The caller's header, or a new trace that is not sampled.
  /// - Parameter lineage: what is added to a header without one, such as `;Lineage=1:0a1b2c3d:0`.
  static func make(from caller: String?, lineage: String, world: any World) -> String {
    if let caller, let header = accepted(caller) {
      let whole = has("Sampled=", in: header) ? header : decided(header, isSampled: false, world)
      return has("Lineage=", in: whole) ? whole : whole + lineage
    }
    return String(capacity: 96 + lineage.utf8.count) { text in
      text.write("Root=")
      writeRoot(to: &text, world)
      text.write(";Parent=")
      text.write(hex: world.random(), digits: 16)
      text.write(";Sampled=0")
      text.write(text: lineage)
    }
  }

  private static func newRoot(_ world: any World) -> String {
    String(capacity: 35) { writeRoot(to: &$0, world) }
  }

  /// `1-`, the time, and 96 random bits.
  private static func writeRoot(to text: inout TextCursor, _ world: any World) {
    text.write("1-")
    text.write(hex: UInt64(UInt32(truncatingIfNeeded: world.now().seconds)), digits: 8)
    text.write("-")
    text.write(hex: world.random(), digits: 16)
    text.write(hex: world.random(), digits: 8)
  }

  /// The caller's header, or a new trace about which nothing is decided yet.
  static func begun(from caller: String?, world: any World) -> String {
    caller.flatMap { accepted($0) } ?? "Root=\(newRoot(world))"
  }

  /// A header with a decision in the place of what it says of one, and with a parent.
  private static func decided(_ header: String, isSampled: Bool, _ world: any World) -> String {
    var fields = header.split(separator: ";").filter { !$0.hasPrefix("Sampled=") }.map(String.init)
    if !isSampled, !fields.contains(where: { $0.hasPrefix("Parent=") }) {
      fields.insert("Parent=\(randomHex(16, from: world))", at: 1)
    }
    let end = fields.firstIndex { $0.hasPrefix("Lineage=") } ?? fields.count
    fields.insert(isSampled ? "Sampled=1" : "Sampled=0", at: end)
    return fields.joined(separator: ";")
  }

  /// By bytes: this is asked of every invocation that has a header.
  private static func has(_ field: StaticString, in header: String) -> Bool {
    let wanted = UnsafeBufferPointer(start: field.utf8Start, count: field.utf8CodeUnitCount)
    var header = header
    return header.withUTF8 { bytes in
      guard bytes.count >= wanted.count else { return false }
      return (0...(bytes.count - wanted.count)).contains { start in
        bytes[start] == wanted[0] && bytes[start..<(start + wanted.count)].elementsEqual(wanted)
      }
    }
  }

  /// The header of a request that is traced: because its caller says so, or because nobody has said anything and the
  /// function is to be traced and the sampling rules want this one. Without its own segment yet.
  /// - Returns: nil if it is not traced.
  static func sampled(
    _ caller: String?, _ c: FunctionConfiguration, _ traces: any TraceSink, _ world: any World
  ) -> String? {
    let header = caller.flatMap { accepted($0) }
    if let header, has("Sampled=1", in: header) { return header }
    guard c.isTracingActive, !(header.map { has("Sampled=0", in: $0) } ?? false),
      traces.samples(c.name, type: "AWS::Lambda", arn: c.unqualifiedARN, in: c.place)
    else { return nil }
    return decided(header ?? "Root=\(newRoot(world))", isSampled: true, world)
  }

  /// What `name=` says in a header.
  static func field(_ name: String, of header: String) -> String? {
    header.split(separator: ";").first { $0.hasPrefix("\(name)=") }.map {
      String($0.dropFirst(name.utf8.count + 1))
    }
  }

  /// The header with another parent.
  static func header(_ header: String, parent: String) -> String {
    var fields = header.split(separator: ";").filter { !$0.hasPrefix("Parent=") }.map(String.init)
    fields.insert("Parent=\(parent)", at: min(1, fields.count))
    return fields.joined(separator: ";")
  }

  /// The header that a caller sent, unless it is none.
  static func accepted(_ caller: String) -> String? {
    guard caller.utf8.count <= longest,
      caller.withBytes({ $0.begins(with: "Root=") && $0.allSatisfy { $0 > 0x20 && $0 < 0x7f } })
    else { return nil }
    return caller
  }

  private static let longest = 1024
}
