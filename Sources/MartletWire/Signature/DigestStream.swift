// Digests and checksums of bytes that come piece by piece: MD5, SHA-1, SHA-256 by libcrypto, and the CRCs of S3.
import CCrypto

/// The ways in which S3 and its clients make sure that bytes arrived.
package enum ChecksumAlgorithm: String, Sendable, CaseIterable {
  case md5 = "MD5"
  case sha1 = "SHA1"
  case sha256 = "SHA256"
  case crc32 = "CRC32"
  case crc32c = "CRC32C"
  case crc64nvme = "CRC64NVME"

  /// `x-amz-checksum-crc32`; MD5 has a header of its own.
  package var header: String { "x-amz-checksum-\(rawValue.lowercased())" }

  /// Those that have such a header.
  package static let withHeader: [ChecksumAlgorithm] = [.crc32, .crc32c, .crc64nvme, .sha1, .sha256]
}

/// Used by one thread at a time.
package final class DigestStream {
  private enum State {
    case evp(OpaquePointer)
    case crc(CyclicChecksum)
  }

  package let algorithm: ChecksumAlgorithm
  private var state: State

  package init(_ algorithm: ChecksumAlgorithm) {
    self.algorithm = algorithm
    switch algorithm {
    case .crc32: state = .crc(CyclicChecksum(.crc32))
    case .crc32c: state = .crc(CyclicChecksum(.crc32c))
    case .crc64nvme: state = .crc(CyclicChecksum(.crc64nvme))
    case .md5: state = .evp(DigestStream.context(EVP_md5()))
    case .sha1: state = .evp(DigestStream.context(EVP_sha1()))
    case .sha256: state = .evp(DigestStream.context(EVP_sha256()))
    }
  }

  deinit { if case .evp(let context) = state { EVP_MD_CTX_free(context) } }

  private static func context(_ type: OpaquePointer?) -> OpaquePointer {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, type, nil) == 1 else {
      preconditionFailure("libcrypto makes no digests")
    }
    return context
  }

  package func append(_ bytes: UnsafeRawBufferPointer) {
    switch state {
    case .evp(let context): EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    case .crc(var crc):
      crc.append(bytes)
      state = .crc(crc)
    }
  }

  /// The digest, most significant byte first. Nothing may be appended afterwards.
  package func finish() -> [UInt8] {
    switch state {
    case .crc(let crc): return crc.bytes
    case .evp(let context):
      var digest = [UInt8](repeating: 0, count: 64)
      var length: UInt32 = 64
      EVP_DigestFinal_ex(context, &digest, &length)
      return Array(digest.prefix(Int(length)))
    }
  }
}

/// A cyclic redundancy check whose bits are reflected, as all three of S3's are.
package struct CyclicChecksum: Sendable {
  /// Eight tables: the one for a byte, and those for the bytes before it.
  package struct Kind: Sendable {
    fileprivate let tables: [UInt64]
    fileprivate let width: Int

    /// - Parameter polynomial: reflected.
    fileprivate init(polynomial: UInt64, width: Int) {
      var tables = [UInt64](repeating: 0, count: 2048)
      for byte in 0..<256 {
        var value = UInt64(byte)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
        tables[byte] = value
      }
      for i in 256..<2048 { tables[i] = tables[i - 256] >> 8 ^ tables[Int(tables[i - 256] & 0xff)] }
      self.tables = tables
      self.width = width
    }

    package static let crc32 = Kind(polynomial: 0xedb8_8320, width: 4)
    package static let crc32c = Kind(polynomial: 0x82f6_3b78, width: 4)
    package static let crc64nvme = Kind(polynomial: 0x9a6c_9329_ac4b_c9b5, width: 8)
  }

  private let kind: Kind
  private var value: UInt64

  package init(_ kind: Kind) {
    self.kind = kind
    value = kind.width == 8 ? .max : UInt64(UInt32.max)
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    var crc = value
    kind.tables.withUnsafeBufferPointer { tables in
      var i = 0
      // Eight bytes at once: each is looked up in the table that has gone its distance.
      while i + 8 <= bytes.count {
        let mixed = crc ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
        crc = 0
        for j in 0..<8 { crc ^= tables[(7 - j) << 8 | Int(mixed >> UInt64(8 * j) & 0xff)] }
        i += 8
      }
      while i < bytes.count {
        crc = crc >> 8 ^ tables[Int((crc ^ UInt64(bytes[i])) & 0xff)]
        i += 1
      }
    }
    value = crc
  }

  package var bytes: [UInt8] {
    let inverted = ~value
    return (0..<kind.width).map { UInt8(truncatingIfNeeded: inverted >> UInt64(8 * (kind.width - 1 - $0))) }
  }
}
