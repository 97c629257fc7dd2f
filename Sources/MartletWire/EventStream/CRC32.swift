// The cyclic redundancy check of Ethernet and zip, eight bytes at a step.
import NIOCore

package struct CRC32: Sendable {
  private var register: UInt32 = .max

  package init() {}

  /// Of everything so far.
  package var value: UInt32 { ~register }

  package mutating func update(_ buffer: ByteBuffer) {
    buffer.withUnsafeReadableBytes { update($0) }
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    register = CRC32.tables.withUnsafeBufferPointer { tables in
      CRC32.step(register, bytes, tables)
    }
  }

  private static func step(
    _ start: UInt32, _ bytes: UnsafeRawBufferPointer, _ t: UnsafeBufferPointer<UInt32>
  ) -> UInt32 {
    var crc = start
    var i = 0
    while i + 8 <= bytes.count {
      let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)) ^ crc
      let high = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i + 4, as: UInt32.self))
      let a = t[1792 + Int(low & 255)] ^ t[1536 + Int(low >> 8 & 255)]
      let b = t[1280 + Int(low >> 16 & 255)] ^ t[1024 + Int(low >> 24)]
      let c = t[768 + Int(high & 255)] ^ t[512 + Int(high >> 8 & 255)]
      let d = t[256 + Int(high >> 16 & 255)] ^ t[Int(high >> 24)]
      crc = a ^ b ^ c ^ d
      i += 8
    }
    while i < bytes.count {
      crc = crc >> 8 ^ t[Int((crc ^ UInt32(bytes[i])) & 255)]
      i += 1
    }
    return crc
  }

  /// Eight tables of 256 entries: entry `i` of table `k` is the check of the byte `i` and `k` zeros behind it.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for i in 0..<256 {
      var crc = UInt32(i)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
      tables[i] = crc
    }
    for i in 256..<tables.count { tables[i] = tables[i - 256] >> 8 ^ tables[Int(tables[i - 256] & 255)] }
    return tables
  }()
}
