// The number of a record: 56 digits that say where it lies and that grow from one record of a shard to the next. The
// form is the one that AWS's numbers have, as far as it is known from the outside.
import MartletCore

struct SequenceNumber: Hashable, Sendable {
  /// When the shard was made. Seconds since 1970; 36 bits.
  let shardCreated: Int64
  /// Grows with every record.
  let index: UInt64
  /// When the record came. Seconds since 1970; 36 bits.
  let time: Int64
  let shard: UInt32

  /// Comes before every record of its shard.
  static func first(of shard: KinesisShard) -> SequenceNumber {
    SequenceNumber(shardCreated: shard.stamp, index: 0, time: shard.stamp, shard: UInt32(shard.index))
  }

  /// Comes behind every record of a shard that is closed.
  static func last(of shard: KinesisShard, closed: Int64) -> SequenceNumber {
    SequenceNumber(
      shardCreated: shard.stamp, index: UInt64(Int64.max), time: closed / 1000, shard: UInt32(shard.index))
  }

  init(shardCreated: Int64, index: UInt64, time: Int64, shard: UInt32) {
    self.shardCreated = shardCreated
    self.index = index
    self.time = time
    self.shard = shard
  }

  // MARK: - As digits

  /// In hexadecimal: 2, the shard's age (9), 0, the index (16), 00, the time (9), the shard (8), 2.
  private static let widths = [1, 9, 1, 16, 2, 9, 8, 1]
  private static let digits = 47

  /// The decimal digits.
  var text: String {
    let fields: [UInt64] = [
      2, UInt64(shardCreated) & 0xf_ffff_ffff, 0, index, 0, UInt64(time) & 0xf_ffff_ffff, UInt64(shard), 2,
    ]
    var nibbles: [UInt64] = []
    for (field, width) in zip(fields, SequenceNumber.widths) {
      for place in (0..<width).reversed() { nibbles.append(field >> UInt64(4 * place) & 15) }
    }
    // To the base of a thousand million, the least significant part first.
    let base: UInt64 = 1_000_000_000
    var parts = [UInt64](repeating: 0, count: 7)
    for nibble in nibbles {
      var carry = nibble
      for i in parts.indices {
        let value = parts[i] << 4 + carry
        parts[i] = value % base
        carry = value / base
      }
    }
    var text = ""
    for part in parts.reversed() {
      let digits = String(part)
      text += text.isEmpty ? (part == 0 ? "" : digits) : String(repeating: "0", count: 9 - digits.count) + digits
    }
    return text
  }

  /// nil for what is no number of a record.
  init?(_ text: String) {
    guard (1...57).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    // To the base of 65,536, the least significant part first.
    var parts = [UInt32](repeating: 0, count: 12)
    for digit in text.utf8 {
      var carry = UInt32(digit - 48)
      for i in parts.indices {
        let value = parts[i] * 10 + carry
        parts[i] = value & 0xffff
        carry = value >> 16
      }
      guard carry == 0 else { return nil }
    }
    func nibble(_ place: Int) -> UInt64 { UInt64(parts[place / 4] >> UInt32(4 * (place % 4)) & 15) }
    guard nibble(SequenceNumber.digits) == 0 else { return nil }
    var place = SequenceNumber.digits
    var fields: [UInt64] = []
    for width in SequenceNumber.widths {
      var field: UInt64 = 0
      for _ in 0..<width {
        place -= 1
        field = field << 4 | nibble(place)
      }
      fields.append(field)
    }
    guard fields[0] == 2, fields[2] == 0, fields[4] == 0, fields[7] == 2 else { return nil }
    self.init(
      shardCreated: Int64(fields[1]), index: fields[3], time: Int64(fields[5]), shard: UInt32(fields[6]))
  }
}
