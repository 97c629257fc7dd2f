// X-Ray's trace header: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
import MartletCore

enum TraceHeader {
  /// The caller's header, or a new trace that is not sampled.
  static func make(from caller: String?, world: any World) -> String {
    if let caller, caller.hasPrefix("Root="), caller.utf8.count < 256,
      caller.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    {
      return caller
    }
    let seconds = String(UInt32(truncatingIfNeeded: world.now().seconds), radix: 16)
    return "Root=1-\(seconds)-\(randomHex(24, from: world));Parent=\(randomHex(16, from: world));Sampled=0"
  }
}
