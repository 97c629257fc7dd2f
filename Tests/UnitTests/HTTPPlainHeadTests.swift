// Heads that are read without NIO's decoder mean what NIO's decoder says they mean, and bodies begin and end where it
// says they do: whoever reads a request in another way than its neighbour can be made to read another request.
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletWire

@Suite struct HTTPPlainHeadTests {
  /// A request as somebody has read it.
  struct Seen: Equatable {
    var method: HTTPMethod
    var uri: String
    var headers: [String]
    var keepsAlive: Bool
    var body = ""
    var trailers: [String] = []
    var isWhole = false

    init(_ head: HTTPRequestHead, keepsAlive: Bool) {
      method = head.method
      uri = head.uri
      headers = head.headers.map { "\($0.name)=\($0.value)" }
      self.keepsAlive = keepsAlive
    }
  }

  /// What NIO's decoder makes of some bytes.
  final class Reference: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    var seen: [Seen] = []
    var hasFailed = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): seen.append(Seen(head, keepsAlive: head.isKeepAlive))
      case .body(let part): seen[seen.count - 1].body += String(buffer: part)
      case .end(let trailers):
        seen[seen.count - 1].trailers = trailers.map { $0.map { "\($0.name)=\($0.value)" } } ?? []
        seen[seen.count - 1].isWhole = true
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { hasFailed = true }
  }

  private func reference(_ pieces: [ByteBuffer]) throws -> Reference {
    let channel = EmbeddedChannel()
    let reference = Reference()
    try channel.pipeline.syncOperations.addHandlers(
      ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)), reference)
    for piece in pieces { _ = try? channel.writeInbound(piece) }
    return reference
  }

  /// Answers nothing but 200, and keeps what it was asked.
  final class Listener: HTTPResponder {
    let seen = Mutex<[Seen]>([])
    func bodyLimit(for head: HTTPRequestHead) -> Int { 1 << 20 }
    func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
      let head = HTTPRequestHead(
        version: request.version, method: request.method,
        uri: request.query.map { "\(request.path)?\($0)" } ?? String(request.path), headers: request.headers)
      var seen = Seen(head, keepsAlive: head.isKeepAlive)
      seen.body = String(buffer: request.body)
      seen.trailers = request.trailers.map { $0.map { "\($0.name)=\($0.value)" } } ?? []
      seen.isWhole = true
      self.seen.withLock { $0.append(seen) }
      exchange.send(HTTPReply(status: 200))
    }
  }

  private static let plain = [
    "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nUser-Agent: x/1 (y)\r\nAccept: */*\r\n\r\n",
    "POST /2015-03-31/functions/f/invocations?Qualifier=%24LATEST HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n"
      + "X-Amz-Log-Type:Tail\r\nConnection:  Keep-Alive\r\n\r\n{\"a\":1}",
    "PUT /x HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", "HEAD / HTTP/1.1\r\n\r\n",
    "DELETE /a~b;c=d@e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
  ]
  private static let other = [
    "POST /z HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "POST /y HTTP/1.1\nContent-Length: 4\n\nabcd",
    "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nab", "POST / HTTP/1.1\r\nContent-Length: 2 \r\n\r\nab",
    "POST / HTTP/1.1\r\nContent-Length : 2\r\n\r\nab", "POST / HTTP/1.1\r\nContent-Length: 0x2\r\n\r\nab",
    "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nab", "GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", "GET / HTTP/1.1\r\nA:\r\n\r\n",
    "GET / HTTP/1.1\r\n: b\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", "GET /\u{e4} HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
    "GET / HTTP/1.1\r\nA: b\u{0}c\r\n\r\n", "GET / HTTP/1.1\r\nA: \u{e4}\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}",
  ]

  @Test func plainHeadsAreReadAtOnceAndTheirBeginningsWait() {
    for text in HTTPPlainHeadTests.plain {
      let whole = ByteBuffer(string: text)
      guard case .head(let head, let size, let length, _) = HTTPPlainHead(whole) else {
        Issue.record("not plain: \(text)")
        continue
      }
      #expect(size + length == whole.readableBytes && head.version == .http1_1)
      for count in 0..<size {
        #expect(kind(String(decoding: text.utf8.prefix(count), as: UTF8.self)) == "incomplete", "\(count) of \(text)")
      }
    }
  }

  /// What may be read in two ways is left to NIO's decoder, also if it is harmless.
  @Test(arguments: other) func whatIsNotPlainIsLeftAlone(text: String) {
    #expect(kind(text) == "unusual", "\(text)")
  }

  @Test func aHeadMayBeLongButNotTooLong() {
    let head = "GET / HTTP/1.1\r\nA: \(String(repeating: "b", count: 16_000))\r\n"
    #expect(kind(head + "\r\n") == "head")
    let longer = head + "C: \(String(repeating: "d", count: 400))"
    #expect(kind(longer) == "unusual" && kind(longer + "\r\n\r\n") == "unusual")
  }

  private func kind(_ text: String) -> String {
    switch HTTPPlainHead(ByteBuffer(string: text)) {
    case .head: "head"
    case .incomplete: "incomplete"
    case .unusual: "unusual"
    }
  }

  /// A head that is taken is the head that NIO's decoder sees, and so is the length of its body.
  @Test(arguments: [51, 52, 53]) func takenHeadsMeanTheSameToNIO(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let seeds = HTTPPlainHeadTests.plain.map { Array($0.utf8) }
    var taken = 0
    for _ in 0..<4_000 {
      let bytes = ByteBuffer(bytes: random.mutated(seeds[Int(random.next() % UInt64(seeds.count))]))
      guard case .head(let head, let size, let length, let keepsAlive) = HTTPPlainHead(bytes) else { continue }
      taken += 1
      guard length < 100_000 else { continue }
      var expected = Seen(head, keepsAlive: keepsAlive)
      expected.body = String(repeating: "x", count: length)
      expected.isWhole = true
      let body = ByteBuffer(string: expected.body)
      let reference = try reference([bytes.getSlice(at: 0, length: size) ?? bytes] + (length > 0 ? [body] : []))
      #expect(reference.seen == [expected] && !reference.hasFailed, "\(String(buffer: bytes))")
    }
    #expect(taken > 500, "\(taken) of the heads were plain")
  }

  /// Whole conversations, in pieces of any size, good and bad: a connection hears what NIO's decoder hears.
  @Test(arguments: [61, 62, 63]) func conversationsAreHeardAsNIOHearsThem(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let seeds = (HTTPPlainHeadTests.plain + HTTPPlainHeadTests.plain + HTTPPlainHeadTests.other).map { Array($0.utf8) }
    var heard = 0
    for _ in 0..<1_500 {
      var bytes: [UInt8] = []
      for _ in 0...(random.next() % 3) {
        let request = seeds[Int(random.next() % UInt64(seeds.count))]
        bytes += random.next() % 4 == 0 ? random.mutated(request) : request
      }
      var pieces: [ByteBuffer] = []
      let longest = [1, 7, 64, 4096][Int(random.next() % 4)]
      while !bytes.isEmpty {
        let count = min(bytes.count, 1 + Int(random.next() % UInt64(longest)))
        pieces.append(ByteBuffer(bytes: bytes[0..<count]))
        bytes.removeFirst(count)
      }
      let channel = EmbeddedChannel()
      let listener = Listener()
      try channel.pipeline.syncOperations.addHandler(HTTPConnection(responder: listener))
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      for piece in pieces where channel.isActive { _ = try? channel.writeInbound(piece) }
      let seen = listener.seen.withLock { $0 }
      let expected = try reference(pieces).seen.filter(\.isWhole)
      heard += seen.count
      #expect(seen == Array(expected.prefix(seen.count)))
      #expect(seen.count == expected.count || !channel.isActive)
      _ = try? channel.finish(acceptAlreadyClosed: true)
    }
    #expect(heard > 500, "\(heard) requests were heard")
  }
}
