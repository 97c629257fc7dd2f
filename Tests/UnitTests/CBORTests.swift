// CBOR: the examples of RFC 8949, that what is written is read again, and that no bytes do harm.
import NIOCore
import Testing

@testable import MartletWire

@Suite struct CBORTests {
  private static func bytes(_ hex: String) -> ByteBuffer {
    let digits = Array(hex.utf8)
    var buffer = ByteBuffer()
    for index in stride(from: 0, to: digits.count, by: 2) {
      buffer.writeInteger(UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) ?? 0)
    }
    return buffer
  }

  /// Appendix A.
  @Test(arguments: [
    ("00", "0"), ("17", "23"), ("1818", "24"), ("1903e8", "1000"), ("1a000f4240", "1000000"),
    ("1b000000e8d4a51000", "1000000000000"), ("20", "-1"), ("3863", "-100"), ("f93c00", "1.0"), ("f93e00", "1.5"),
    ("f97bff", "65504.0"), ("f90001", "5.960464477539063e-08"), ("f9c400", "-4.0"), ("fa47c35000", "100000.0"),
    ("fb3ff199999999999a", "1.1"), ("f4", "false"), ("f5", "true"), ("f6", "null"), ("f7", "null"),
    ("c11a514b67b0", "1363896240"), ("c1fb41d452d9ec200000", "1363896240.5"), ("60", "\"\""),
    ("6449455446", "\"IETF\""),
    ("62c3bc", "\"ü\""), ("4401020304", "\"AQIDBA==\""), ("80", "[]"), ("83010203", "[1,2,3]"), ("9fff", "[]"),
    ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"), ("a0", "{}"), ("a26161016162820203", "{\"a\":1,\"b\":[2,3]}"),
    ("bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}"), ("7f657374726561646d696e67ff", "\"streaming\""),
    ("5f42010243030405ff", "\"AQIDBAU=\""),
  ])
  func examplesAreRead(_ example: (hex: String, json: String)) throws {
    let value = try JSONValue(cbor: CBORTests.bytes(example.hex))
    #expect(try value == JSONValue(parsing: example.json) || value.text == example.json, "\(value)")
  }

  @Test func numbersThatAreNone() throws {
    #expect(try JSONValue(cbor: CBORTests.bytes("f97e00")).number?.isNaN == true)
    #expect(try JSONValue(cbor: CBORTests.bytes("fb7ff0000000000000")).number == .infinity)
    #expect(try JSONValue(cbor: CBORTests.bytes("1bffffffffffffffff")).number == 18446744073709551615.0)
  }

  @Test(arguments: [
    "", "18", "1c", "62c3", "62ff00", "83", "a1", "a10102", "ff", "9f", "bf6161", "5f6101ff", "c1", "0000", "f8ff",
    "5bffffffffffffffff", "9bffffffffffffffff", "7f61", "fc",
  ])
  func flawsAreFound(_ hex: String) {
    #expect(throws: CBORFlaw.self) { try JSONValue(cbor: CBORTests.bytes(hex)) }
  }

  @Test func deepNestsAreRefused() {
    #expect(throws: CBORFlaw.self) {
      try JSONValue(cbor: ByteBuffer(bytes: [UInt8](repeating: 0x81, count: 100_000)))
    }
    #expect(throws: CBORFlaw.self) {
      try JSONValue(cbor: ByteBuffer(bytes: [UInt8](repeating: 0xc1, count: 100_000)))
    }
  }

  private static func value(_ dice: inout SplitMix, depth: Int) -> JSONValue {
    switch dice.next() % (depth > 4 ? 5 : 7) {
    case 0: return .null
    case 1: return .bool(dice.next() % 2 == 0)
    case 2: return .integer(Int64(bitPattern: dice.next() >> (dice.next() % 64)))
    case 3: return .double(Double(Int64(bitPattern: dice.next())) / 3)
    case 4: return .string(String(repeating: "aé😀", count: Int(dice.next() % 200)))
    case 5: return .array((0..<dice.next() % 30).map { _ in value(&dice, depth: depth + 1) })
    default:
      return .object((0..<dice.next() % 30).map { .init("k\($0)", value(&dice, depth: depth + 1)) })
    }
  }

  @Test(arguments: 0..<200) func whatIsWrittenIsRead(_ seed: UInt64) throws {
    var dice = SplitMix(seed: seed)
    let value = CBORTests.value(&dice, depth: 0)
    var writer = JSONWriter(isBinary: true)
    writer.value(value)
    #expect(try JSONValue(cbor: writer.buffer) == value)
  }

  @Test(arguments: 0..<200) func noBytesDoHarm(_ seed: UInt64) throws {
    var dice = SplitMix(seed: seed)
    var writer = JSONWriter(isBinary: true)
    writer.value(CBORTests.value(&dice, depth: 0))
    var bytes = Array(writer.buffer.readableBytesView)
    for _ in 0..<20 {
      bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: dice.next())
      let cut = bytes.prefix(Int(dice.next() % UInt64(bytes.count + 1)))
      _ = try? JSONValue(cbor: ByteBuffer(bytes: cut))
      _ = try? JSONValue(cbor: ByteBuffer(bytes: bytes))
    }
  }

  @Test func bytesAndMomentsHaveTheirKinds() {
    var writer = JSONWriter(isBinary: true)
    writer.object { w in
      w.name("a")
      w.value([1, 2] as [UInt8])
      w.name("t")
      w.moment(1.5)
    }
    #expect(
      Array(writer.buffer.readableBytesView)
        == [0xbf, 0x61, 0x61, 0x42, 1, 2, 0x61, 0x74, 0xc1, 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xff])
  }
}
