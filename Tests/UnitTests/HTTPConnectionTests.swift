// The HTTP layer over an embedded channel: pieces, pipelines, limits, rubbish.
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import MartletWire

@Suite struct HTTPConnectionTests {
  /// Answers each request with its method, path and body length, at once or when told.
  final class Echo: HTTPResponder {
    let requests = Mutex<[HTTPRequest]>([])
    let held = Mutex<[HTTPExchange]>([])
    let abandonedCount = Mutex(0)
    let holds: Bool
    init(holds: Bool = false) { self.holds = holds }

    func bodyLimit(for head: HTTPRequestHead) -> Int { 1000 }

    func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
      requests.withLock { $0.append(request) }
      if holds {
        held.withLock { $0.append(exchange) }
      } else {
        exchange.send(
          HTTPReply(
            status: 200, body: ByteBuffer(string: "\(request.method) \(request.path) \(request.body.readableBytes)")))
      }
    }

    func abandoned(_ exchange: HTTPExchange) { abandonedCount.withLock { $0 += 1 } }
  }

  private func channel(_ echo: Echo) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandlers(
      ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)), HTTPConnection(responder: echo))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    return channel
  }

  private func output(_ channel: EmbeddedChannel) throws -> String {
    var text = ""
    while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
    return text
  }

  @Test func aRequestInSingleBytes() throws {
    let channel = try channel(Echo())
    for byte in "POST /a?b=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz".utf8 {
      try channel.writeInbound(ByteBuffer(bytes: [byte]))
    }
    let text = try output(channel)
    #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix("POST /a 3"))
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() throws {
    let echo = Echo(holds: true)
    let channel = try channel(echo)
    try channel.writeInbound(ByteBuffer(string: "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"))
    #expect(echo.requests.withLock { $0.count } == 1, "the second waits for the first answer")
    echo.held.withLock { $0[0] }.send(HTTPReply(status: 200, body: ByteBuffer(string: "one")))
    #expect(echo.requests.withLock { $0.count } == 2)
    echo.held.withLock { $0[0] }.send(HTTPReply(status: 200, body: ByteBuffer(string: "again")))
    #expect(!(try output(channel)).contains("again"), "an exchange answers once")
  }

  @Test func aBodyBeyondTheLimitIsDroppedAndSaid() throws {
    let echo = Echo()
    let channel = try channel(echo)
    try channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n"))
    try channel.writeInbound(ByteBuffer(repeating: 65, count: 2000))
    try channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5dc\r\n"))
    try channel.writeInbound(ByteBuffer(repeating: 65, count: 1500))
    try channel.writeInbound(ByteBuffer(string: "\r\n0\r\n\r\n"))
    #expect(echo.requests.withLock { $0.map(\.bodyExceedsLimit) } == [true, true])
    #expect(echo.requests.withLock { $0.allSatisfy { $0.body.readableBytes == 0 } })
  }

  @Test func expectIsAnsweredBeforeTheBody() throws {
    let channel = try channel(Echo())
    try channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"))
    #expect(try output(channel) == "HTTP/1.1 100 Continue\r\n\r\n")
  }

  @Test func whoeverLeavesIsReported() throws {
    let echo = Echo(holds: true)
    let channel = try channel(echo)
    try channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
    try channel.close().wait()
    #expect(echo.abandonedCount.withLock { $0 } == 1)
  }

  @Test func headersOfAnAnswerCannotBeForged() throws {
    let echo = Echo(holds: true)
    let channel = try channel(echo)
    try channel.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
    echo.held.withLock { $0[0] }.send(HTTPReply(status: 200, headers: [("X", "a\r\nY: b")]))
    #expect((try output(channel)).contains("X: a  Y: b\r\n"))
  }

  @Test(arguments: [41, 42, 43]) func rubbishIsRefusedAndHarmsNothing(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let seeds = [
      "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "POST /y HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd",
      "POST /z HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ].map { Array($0.utf8) }
    for _ in 0..<4_000 {
      let channel = try channel(Echo())
      _ = try? channel.writeInbound(ByteBuffer(bytes: random.mutated(seeds[Int(random.next() % 3)])))
      let text = try output(channel)
      #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 "), "\(text)")
      _ = try? channel.finish(acceptAlreadyClosed: true)
    }
  }

  @Test func percentEncodingBothWays() {
    #expect(Percent.decode("a%2Fb%zz%4") == "a/b%zz%4")
    #expect(Percent.decode("a+b%20c", plus: true) == "a b c")
    #expect(Percent.encode("f:$LATEST") == "f%3A%24LATEST")
  }
}
