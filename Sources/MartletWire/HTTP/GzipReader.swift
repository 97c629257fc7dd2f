// Unpacks gzip, which clients use for large requests. The bytes are a stranger's: what comes out is bounded.
// https://www.rfc-editor.org/rfc/rfc1951 and https://www.rfc-editor.org/rfc/rfc1952
import NIOCore

package enum GzipReader {
  /// What was packed; nil if the bytes are not whole, or it is longer than `limit` bytes. The checksum is compared.
  package static func unpack(_ buffer: ByteBuffer, limit: Int) -> [UInt8]? {
    let bytes = Array(buffer.readableBytesView)
    guard bytes.count >= 18, bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8 else { return nil }
    let flags = bytes[3]
    var position = 10
    if flags & 4 != 0 {
      guard position + 2 <= bytes.count else { return nil }
      position += 2 + Int(bytes[position]) + Int(bytes[position + 1]) << 8
    }
    // The name and the comment end in zeros.
    for flag in [UInt8(8), 16] where flags & flag != 0 {
      guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else { return nil }
      position = end + 1
    }
    if flags & 2 != 0 { position += 2 }
    guard position + 8 <= bytes.count else { return nil }
    var inflate = Inflate(bytes: bytes[position..<(bytes.count - 8)], limit: limit)
    guard let output = inflate.run() else { return nil }
    func tail(_ offset: Int) -> UInt32 {
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[bytes.count - 8 + offset + $1]) << UInt32(8 * $1) }
    }
    var check = CRC32()
    output.withUnsafeBytes { check.update($0) }
    return tail(0) == check.value && tail(4) == UInt32(truncatingIfNeeded: output.count) ? output : nil
  }
}

private struct Inflate {
  private let bytes: ArraySlice<UInt8>
  private let limit: Int
  private var position: Int
  private var bits: UInt32 = 0
  private var count = 0
  private var output: [UInt8] = []

  init(bytes: ArraySlice<UInt8>, limit: Int) {
    self.bytes = bytes
    self.limit = limit
    position = bytes.startIndex
  }

  /// Codes by their length: how many there are of each, and the symbols in the order of the codes.
  private struct Codes {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    /// nil if the lengths are more than codes can have.
    init?(_ lengths: some Collection<Int>) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      var left = 1
      for length in 1...15 {
        left = left * 2 - counts[length]
        guard left >= 0 else { return nil }
      }
      var offsets = [Int](repeating: 0, count: 16)
      for length in 1..<15 { offsets[length + 1] = offsets[length] + counts[length] }
      symbols = [Int](repeating: 0, count: lengths.count)
      for (symbol, length) in lengths.enumerated() where length > 0 {
        symbols[offsets[length]] = symbol
        offsets[length] += 1
      }
    }
  }

  private mutating func take(_ number: Int) -> Int? {
    while count < number {
      guard position < bytes.endIndex else { return nil }
      bits |= UInt32(bytes[position]) << UInt32(count)
      position += 1
      count += 8
    }
    defer {
      bits >>= UInt32(number)
      count -= number
    }
    return Int(bits & (UInt32(1) << UInt32(number) - 1))
  }

  private mutating func symbol(_ codes: Codes) -> Int? {
    var (code, first, index) = (0, 0, 0)
    for length in 1...15 {
      guard let bit = take(1) else { return nil }
      code |= bit
      let number = codes.counts[length]
      if code - number < first { return codes.symbols[index + code - first] }
      index += number
      first = (first + number) << 1
      code <<= 1
    }
    return nil
  }

  mutating func run() -> [UInt8]? {
    var isLast = false
    while !isLast {
      guard let last = take(1), let kind = take(2) else { return nil }
      isLast = last == 1
      let isGood: Bool
      switch kind {
      case 0: isGood = stored()
      case 1: isGood = Inflate.fixed.map { compressed($0.literals, $0.distances) } ?? false
      case 2: isGood = dynamic()
      default: isGood = false
      }
      guard isGood else { return nil }
    }
    return output
  }

  private mutating func stored() -> Bool {
    (bits, count) = (0, 0)
    guard position + 4 <= bytes.endIndex else { return false }
    let length = Int(bytes[position]) | Int(bytes[position + 1]) << 8
    let check = Int(bytes[position + 2]) | Int(bytes[position + 3]) << 8
    position += 4
    guard length == ~check & 0xffff, position + length <= bytes.endIndex, output.count + length <= limit else {
      return false
    }
    output += bytes[position..<position + length]
    position += length
    return true
  }

  private static let fixed: (literals: Codes, distances: Codes)? = {
    let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
    guard let literals = Codes(lengths), let distances = Codes([Int](repeating: 5, count: 30)) else { return nil }
    return (literals, distances)
  }()

  private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  private mutating func dynamic() -> Bool {
    guard let literals = take(5), let distances = take(5), let kinds = take(4) else { return false }
    let (literalCount, distanceCount) = (literals + 257, distances + 1)
    guard literalCount <= 286, distanceCount <= 30 else { return false }
    var lengths = [Int](repeating: 0, count: 19)
    for index in 0..<(kinds + 4) {
      guard let length = take(3) else { return false }
      lengths[Inflate.order[index]] = length
    }
    guard let codes = Codes(lengths) else { return false }
    var all: [Int] = []
    while all.count < literalCount + distanceCount {
      guard let symbol = symbol(codes) else { return false }
      var (length, times) = (symbol, 1)
      switch symbol {
      case 16:
        guard let last = all.last, let extra = take(2) else { return false }
        (length, times) = (last, 3 + extra)
      case 17:
        guard let extra = take(3) else { return false }
        (length, times) = (0, 3 + extra)
      case 18:
        guard let extra = take(7) else { return false }
        (length, times) = (0, 11 + extra)
      default: break
      }
      all += repeatElement(length, count: times)
    }
    guard all.count == literalCount + distanceCount, all[256] != 0, let first = Codes(all[..<literalCount]),
      let second = Codes(Array(all[literalCount...]))
    else { return false }
    return compressed(first, second)
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]

  private mutating func compressed(_ literals: Codes, _ distances: Codes) -> Bool {
    while let symbol = symbol(literals) {
      if symbol == 256 { return true }
      guard output.count < limit else { return false }
      if symbol < 256 {
        output.append(UInt8(symbol))
        continue
      }
      guard symbol - 257 < Inflate.lengthBases.count, let extra = take(Inflate.lengthBits[symbol - 257]),
        let code = self.symbol(distances), code < Inflate.distanceBases.count,
        let further = take(code < 4 ? 0 : code / 2 - 1)
      else { return false }
      let length = Inflate.lengthBases[symbol - 257] + extra
      let distance = Inflate.distanceBases[code] + further
      guard distance <= output.count, output.count + length <= limit else { return false }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
    return false
  }
}
