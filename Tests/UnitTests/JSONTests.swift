// The scanner that payloads pass, the tree, and the writer.
import MartletWire
import NIOCore
import Testing

@Suite struct JSONTests {
  static let valid = [
    "null", "true", "false", "0", "-0", "1.5e+10", "\"\"", "[]", "{}", " [1, 2 ,3] ", "{\"a\":{\"b\":[null]}}",
    #""\u00e9\n\\\"/""#, "\"é€😀\"", "{\"a\":1,\"a\":2}", "1E5", "[[[[[]]]]]", "\t\r\n1",
  ]
  static let invalid = [
    "", " ", "nul", "nulls", "01", "1.", ".5", "+1", "-", "1e", "\"", "\"\\x\"", "\"\\u12g4\"", "[1,]", "[,1]", "{,}",
    "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "[1 2]", "1 2", "{}{}", "]", "}", "[}", "{]", "\"\u{01}\"", "'a'",
    "[1",
    "{\"a\":1", "\u{feff}1", "NaN", "Infinity", "\"\n\"",
  ]

  @Test(arguments: valid) func accepts(text: String) { #expect(JSONScanner.flaw(in: ByteBuffer(string: text)) == nil) }

  @Test(arguments: invalid) func refuses(text: String) {
    #expect(JSONScanner.flaw(in: ByteBuffer(string: text)) != nil)
  }

  @Test(
    arguments: [
      [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
      [0x22, 0xe2, 0x82, 0x22], [0x22, 0xf0, 0x80, 0x80, 0x80, 0x22],
    ] as [[UInt8]]) func refusesWhatIsNotUTF8(bytes: [UInt8])
  {
    #expect(JSONScanner.flaw(in: ByteBuffer(bytes: bytes)) != nil)
  }

  /// Strings are read in steps of eight bytes: every byte at every place of strings of every length.
  @Test func whatMeansSomethingIsSeenWhereverItIs() {
    for length in 1...40 {
      for place in 0..<length {
        for byte in UInt8.min...UInt8.max where place % 3 == 0 || byte & 0x5f < 0x24 || byte > 0x7d {
          var text = [UInt8](repeating: UInt8(ascii: "x"), count: length)
          text[place] = byte
          let flaw = JSONScanner.flaw(in: ByteBuffer(bytes: [0x22] + text + [0x22]))
          switch byte {
          case 0x22, 0x5c: #expect(flaw != nil, "it ends too early, or x is no escape: \(place) of \(length)")
          default: #expect((flaw == nil) == (0x20..<0x80).contains(byte), "\(byte) at \(place) of \(length)")
          }
          if let flaw, byte < 0x20 { #expect(flaw.offset == place + 1) }
        }
      }
    }
  }

  @Test func nestingIsBounded() {
    let depth = JSONScanner.maximumDepth
    let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    #expect(JSONScanner.flaw(in: ByteBuffer(string: deep(depth))) == nil)
    #expect(JSONScanner.flaw(in: ByteBuffer(string: deep(depth + 1))) != nil)
    #expect(JSONScanner.flaw(in: ByteBuffer(string: String(repeating: "[{\"a\":", count: 1_000_000))) != nil)
  }

  @Test func saysWhatIsWrongAsAWSDoes() {
    #expect(
      JSONScanner.flaw(in: ByteBuffer(string: "{\"a\": oops}"))?.reason.hasPrefix("Unrecognized token 'oops'") == true)
  }

  @Test func readsEscapes() throws {
    #expect(try JSONValue(parsing: #""\u00e9\ud83d\ude00\ud800\n""#) == .string("é😀\u{fffd}\n"))
  }

  /// Whatever the scanner lets through can be read, written, and read again to the same tree.
  @Test(arguments: [11, 12, 13, 14]) func mutationsNeverCrash(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let seeds = (JSONTests.valid + [#"{"Records":[{"body":"x\u0041","n":-1.25e3,"t":true,"deep":[[],{}]}]}"#]).map {
      Array($0.utf8)
    }
    var accepted = 0
    for _ in 0..<40_000 {
      let bytes = random.mutated(seeds[Int(random.next() % UInt64(seeds.count))])
      let buffer = ByteBuffer(bytes: bytes)
      guard JSONScanner.flaw(in: buffer) == nil else { continue }
      accepted += 1
      let tree = try JSONValue(parsing: buffer)
      var writer = JSONWriter()
      writer.value(tree)
      #expect(JSONScanner.flaw(in: writer.buffer) == nil, "\(String(decoding: bytes, as: UTF8.self))")
      let again = try JSONValue(parsing: writer.buffer)
      #expect(again == tree, "\(String(decoding: bytes, as: UTF8.self))")
    }
    #expect(accepted > 1_000)
  }
}
