// Gzip: what Python packs is unpacked, in every form of its blocks; and broken bytes do no harm.
import NIOCore
import Testing

@testable import MartletWire

@Suite struct GzipTests {
  /// Packed by zlib with its several strategies, and the check sums of what was packed.
  private static let examples: [(name: String, packed: String, length: Int, check: UInt32)] = [
    (
      "stored",
      "H4sIAAAAAAAEAwF4AIf/ItjDQX5zpskYB9VuwwByuDrx5gcGivBhN2wHOHB+Ozs4dUoF1o6kL/7cHlW4tu9s1KtNluHYgZYIPsxqLIyzrF9wgseFZH0HC7T7l2QrgPvFitw7g/OTdUSM9QHI0uK9z4SPbQ7ekTOBfFtYiZ+cdQc6LZXczMzRsQYdyngAAAA="
        as String,
      120, 3_390_899_889
    ),
    (
      "fixed",
      "H4sIAAAAAAACAyvJSFUoLM1MzlZIKsovz1NIy69QyCrNLShWyC9LLVIoAUrnJFZVKqTkp+uBeaOKRxWPKqaqYgAergXKhAMAAA==" as String,
      900, 3_389_369_886
    ),
    (
      "dynamic",
      "H4sIAAAAAAACAyvJSFUoLM1MzlZIKsovz1NIy69QyCrNLShWyC9LLVIoAUrnJFZVKqTkp+uBeaOKRxWPKqaqYgZGVjZ2EODg5pOQU9LW0dU3NrewsLKytra2c3Tx8g2NiI5PTEnJysnJzSsoKCouLS2tqa2ra2hsbGpuae3s6urp6eufOHnqtGnT58xfsmz1ms1btu3Ysffw4aPHT5w8c+bM+YuXrly9duPGnTt37j189Oz9h4+fv/7+/Q8Ao9HU8PwDAAA="
        as String,
      1020, 4_040_479_139
    ),
    (
      "named",
      "H4sICAAAAAAA/25hbWUAAwAAAAAAAAAAAA==" as String,
      0, 0
    ),
  ]

  private static func unpack(_ bytes: some Sequence<UInt8>, limit: Int = 1 << 20) -> [UInt8]? {
    GzipReader.unpack(ByteBuffer(bytes: bytes), limit: limit)
  }

  @Test(arguments: 0..<4) func packedBytesAreUnpacked(_ index: Int) throws {
    let example = GzipTests.examples[index]
    let packed = Array(try #require(Base64.decode(example.packed)).readableBytesView)
    let bytes = try #require(GzipTests.unpack(packed))
    var check = CRC32()
    bytes.withUnsafeBytes { check.update($0) }
    #expect(bytes.count == example.length && check.value == example.check)
    #expect(GzipTests.unpack(packed, limit: example.length) != nil)
    if example.length > 0 { #expect(GzipTests.unpack(packed, limit: example.length - 1) == nil) }
    for count in 0..<packed.count { #expect(GzipTests.unpack(packed.prefix(count)) == nil) }
  }

  @Test(arguments: 0..<200) func brokenBytesDoNoHarm(_ seed: UInt64) throws {
    var dice = SplitMix(seed: seed)
    for example in GzipTests.examples {
      let packed = Array(try #require(Base64.decode(example.packed)).readableBytesView)
      let broken = dice.mutated(packed)
      if let bytes = GzipTests.unpack(broken) { #expect(bytes.count == example.length) }
    }
  }
}
