// X-Ray's trace header: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
import MartletCore

enum TraceHeader {
  /// The caller's header, or a new trace that is not sampled.
  /// - Parameter lineage: what is added to a header without one, such as `;Lineage=1:0a1b2c3d:0`.
  static func make(from caller: String?, lineage: String, world: any World) -> String {
    if let caller, let header = accepted(caller) { return header.contains("Lineage=") ? header : header + lineage }
    let seconds = String(UInt32(truncatingIfNeeded: world.now().seconds), radix: 16)
    return "Root=1-\(seconds)-\(randomHex(24, from: world));Parent=\(randomHex(16, from: world));Sampled=0\(lineage)"
  }

  /// The header that a caller sent, unless it is none.
  static func accepted(_ caller: String) -> String? {
    guard caller.hasPrefix("Root="), caller.utf8.count <= longest, caller.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else { return nil }
    return caller
  }

  private static let longest = 1024
}
