// AWS's event stream: known bytes, and random messages both ways.
import NIOCore
import Testing

@testable import MartletLambda
@testable import MartletWire

@Suite struct EventStreamTests {
  private func text(_ buffer: ByteBuffer) -> String { String(buffer: buffer) }

  @Test func theCheckOfKnownTexts() {
    for (words, check) in [("", 0), ("a", 0xe8b7_be43), ("123456789", 0xcbf4_3926)] as [(String, UInt32)] {
      var crc = CRC32()
      crc.update(ByteBuffer(string: words))
      #expect(crc.value == check)
    }
  }

  @Test(arguments: [1, 2, 3]) func theCheckIsTheSameInPieces(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<200 {
      let bytes = (0..<Int(random.next() % 300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      var plain: UInt32 = .max
      for byte in bytes {
        plain ^= UInt32(byte)
        for _ in 0..<8 { plain = plain & 1 == 1 ? plain >> 1 ^ 0xedb8_8320 : plain >> 1 }
      }
      var pieces = CRC32()
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = min(rest.count, Int(random.next() % 20) + 1)
        pieces.update(ByteBuffer(bytes: rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      #expect(pieces.value == ~plain)
    }
  }

  /// From the tests of AWS's own clients: no headers, no payload.
  @Test func theEmptyMessage() {
    let bytes = EventStreamMessage(headers: [], payload: ByteBuffer()).bytes
    #expect(Array(bytes.readableBytesView) == [0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255])
  }

  @Test(arguments: [1, 2, 3]) func randomMessagesComeBack(seed: UInt64) {
    var random = SplitMix(seed: seed)
    func word(_ range: Range<UInt64>) -> String {
      String((0..<random.next(in: range)).map { _ in Character(UnicodeScalar(UInt8(97 + random.next() % 26))) })
    }
    for _ in 0..<300 {
      let messages = (0..<random.next(in: 1..<4)).map { _ in
        EventStreamMessage(
          headers: (0..<random.next() % 4).map { _ in (word(1..<20), word(0..<50)) },
          payload: ByteBuffer(string: word(0..<400)))
      }
      var wire = ByteBuffer()
      for message in messages { wire.writeImmutableBuffer(message.bytes) }
      var rest = wire
      var back: [EventStreamMessage] = []
      while let message = EventStreamMessage(from: &rest) { back.append(message) }
      #expect(back == messages && rest.readableBytes == 0)

      var damaged = ByteBuffer(bytes: random.mutated(Array(wire.readableBytesView)))
      let sent = damaged
      while let message = EventStreamMessage(from: &damaged) {
        #expect(messages.contains(message) || sent == wire, "a damaged message was taken for a good one")
      }
    }
  }

  @Test func anAnswerThatWasNotStreamed() throws {
    let version = try #require(VersionName("$LATEST"))
    var reply = Reply(payload: ByteBuffer(repeating: 65, count: 5 << 19), executedVersion: version, traceHeader: "t")
    var wire = PayloadEvents.whole(reply)
    var sizes: [Int] = []
    while let message = EventStreamMessage(from: &wire) { sizes.append(message.payload.readableBytes) }
    #expect(sizes == [1 << 20, 1 << 20, 1 << 19, 2])

    reply.payload = ByteBuffer(string: "{}")
    reply.functionError = "Unhandled"
    reply.log = ByteBuffer(string: "l")
    wire = PayloadEvents.whole(reply)
    let only = try #require(EventStreamMessage(from: &wire))
    #expect(text(only.payload) == #"{"ErrorCode":"Unhandled","ErrorDetails":"{}","LogResult":"bA=="}"#)
    #expect(only.headers.map { $0.value } == ["InvokeComplete", "application/json", "event"])
    #expect(wire.readableBytes == 0)
  }
}

extension SplitMix {
  mutating func next(in range: Range<UInt64>) -> UInt64 { range.lowerBound + next() % UInt64(range.count) }
}
