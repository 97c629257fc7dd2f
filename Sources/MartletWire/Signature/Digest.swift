// SHA-256, MD5 and HMAC, by libcrypto.
import CCrypto
import NIOCore

package enum Digest {
  /// The 32 bytes of SHA-256.
  package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    EVP_Digest(bytes.baseAddress, bytes.count, &digest, &length, EVP_sha256(), nil)
    return digest
  }

  package static func sha256(_ buffer: ByteBuffer) -> [UInt8] {
    buffer.withUnsafeReadableBytes { sha256($0) }
  }

  package static func sha256(_ text: String) -> [UInt8] {
    var text = text
    return text.withUTF8 { sha256(UnsafeRawBufferPointer($0)) }
  }

  /// MD5 as lower-case hexadecimal, for services that answer with it.
  package static func md5(_ bytes: UnsafeRawBufferPointer) -> String {
    var digest = [UInt8](repeating: 0, count: 16)
    var length: UInt32 = 16
    EVP_Digest(bytes.baseAddress, bytes.count, &digest, &length, EVP_md5(), nil)
    return hex(digest)
  }

  package static func md5(_ text: String) -> String {
    var text = text
    return text.withUTF8 { md5(UnsafeRawBufferPointer($0)) }
  }

  /// HMAC-SHA-256 as lower-case hexadecimal.
  package static func hmac(key: [UInt8], _ text: String) -> String { hex(hmacBytes(key: key, text)) }

  /// The 32 bytes of HMAC-SHA-256.
  package static func hmacBytes(key: [UInt8], _ text: String) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    let message = Array(text.utf8)
    HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
    return digest
  }

  package static func hex(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { out in
      for (i, byte) in bytes.enumerated() {
        out[2 * i] = digit(byte >> 4)
        out[2 * i + 1] = digit(byte & 15)
      }
      return bytes.count * 2
    }
  }

  private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 48 + nibble : 87 + nibble }
}
