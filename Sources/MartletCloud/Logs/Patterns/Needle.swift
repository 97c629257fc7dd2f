// Finds bytes in bytes, by way of the one of them that is rarest in log lines.
import Glibc

struct Needle: Sendable {
  let bytes: [UInt8]
  private let rarest: Int

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    rarest = bytes.indices.max { Needle.rarity(bytes[$0]) < Needle.rarity(bytes[$1]) } ?? 0
  }

  /// Roughly: signs and capitals are rarer than digits, and these than small letters.
  private static func rarity(_ byte: UInt8) -> Int {
    switch byte {
    case UInt8(ascii: "e"), UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "o"), UInt8(ascii: "i"), 0x20: 0
    case UInt8(ascii: "n"), UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "\""): 1
    case UInt8(ascii: "q"), UInt8(ascii: "x"), UInt8(ascii: "z"), UInt8(ascii: "j"): 4
    case 97...122: 2
    case 48...57: 2
    case UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "."): 1
    case 65...90: 4
    default: 5
    }
  }

  /// Where it begins; nil if it is not there. An empty one is everywhere.
  func find(in text: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
    guard !bytes.isEmpty else { return start <= text.count ? start : nil }
    guard let base = text.baseAddress else { return nil }
    var at = start + rarest
    // Behind this place there is no room for the rest.
    let end = text.count - (bytes.count - 1 - rarest)
    return bytes.withUnsafeBytes { needle in
      while at < end {
        guard let hit = memchr(base + at, CInt(needle[rarest]), end - at) else { return nil }
        let place = UnsafeRawPointer(hit) - base
        if let first = needle.baseAddress, memcmp(base + place - rarest, first, needle.count) == 0 {
          return place - rarest
        }
        at = place + 1
      }
      return nil
    }
  }
}
