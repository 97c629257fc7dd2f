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

  private func channel(_ echo: any HTTPResponder) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(HTTPConnection(responder: echo))
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

  /// A body may take as long as it likes, as long as some of it comes.
  @Test func silenceIsCutOffAndSlownessIsNot() throws {
    let channel = try channel(Echo())
    try channel.writeInbound(ByteBuffer(string: "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n"))
    for _ in 0..<8 {
      channel.embeddedEventLoop.advanceTime(by: .seconds(50))
      #expect(channel.isActive)
      try channel.writeInbound(ByteBuffer(string: "x"))
    }
    channel.embeddedEventLoop.advanceTime(by: .seconds(121))
    #expect(!channel.isActive)
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

  // MARK: Bodies in pieces

  /// Takes every body in pieces, and holds the peer up when told.
  final class Taker: HTTPResponder {
    final class Body: HTTPBodyReceiver, @unchecked Sendable {
      var parts: [String] = []
      var trailers: HTTPHeaders?
      var isCutOff = false
      let flow: HTTPInflow
      init(_ flow: HTTPInflow) { self.flow = flow }
      func receive(_ part: ByteBuffer) { parts.append(String(buffer: part)) }
      func end(trailers: HTTPHeaders, _ exchange: HTTPExchange) {
        self.trailers = trailers
        exchange.send(HTTPReply(status: 202))
      }
      func cutOff() { isCutOff = true }
    }
    let bodies = Mutex<[Body]>([])
    func bodyLimit(for head: HTTPRequestHead) -> Int { 0 }
    func receiver(for head: HTTPRequestHead, _ flow: () -> HTTPInflow) -> (any HTTPBodyReceiver)? {
      let body = Body(flow())
      bodies.withLock { $0.append(body) }
      return body
    }
    func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {}
  }

  /// What the connection has said of whether its peer is to be read; nil = nothing.
  private func isRead(_ channel: EmbeddedChannel) -> Bool? {
    channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
  }

  @Test func aBodyIsHandedOnAsItComes() throws {
    let taker = Taker()
    let channel = try channel(taker)
    try channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"))
    let body = try #require(taker.bodies.withLock { $0.first })
    #expect(body.parts == ["ab"] && body.trailers == nil)
    body.flow.hold()
    #expect(isRead(channel) == false)
    body.flow.release()
    #expect(isRead(channel) == true)
    body.flow.hold()
    try channel.writeInbound(ByteBuffer(string: "1\r\nc\r\n0\r\nX-Y: z\r\n\r\n"))
    #expect(body.parts == ["ab", "c"] && body.trailers?.first(name: "x-y") == "z")
    #expect(try output(channel).hasPrefix("HTTP/1.1 202 "))
    #expect(isRead(channel) == true, "the next request is read")
    body.flow.hold()
    #expect(isRead(channel) == true, "whose body is over holds nobody up")
    try channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"))
    try channel.close().wait()
    #expect(taker.bodies.withLock { $0[1].isCutOff && !$0[0].isCutOff })
  }

  /// A body of pieces that the test supplies.
  final class Supply: HTTPBodySource {
    let pieces = Mutex<[String?]>([])
    let out = Mutex<HTTPOutflow?>(nil)
    let isCancelled = Mutex(false)
    let breaks: Bool
    init(breaks: Bool = false) { self.breaks = breaks }

    func pump(_ out: HTTPOutflow) {
      self.out.withLock { $0 = out }
      while out.wantsMore {
        let next: String?? = pieces.withLock { $0.isEmpty ? .none : .some($0.removeFirst()) }
        guard let next else { return }
        if let piece = next { out.write(ByteBuffer(string: piece)) } else { breaks ? out.breakOff() : out.end() }
      }
    }
    func cancel() { isCancelled.withLock { $0 = true } }
    func add(_ piece: String?) {
      pieces.withLock { $0.append(piece) }
      out.withLock { $0 }?.wake()
    }
  }

  private func begin(_ supply: Supply, _ head: String = "GET / HTTP/1.1\r\n\r\n") throws -> (EmbeddedChannel, Echo) {
    let echo = Echo(holds: true)
    let channel = try channel(echo)
    try channel.writeInbound(ByteBuffer(string: head))
    var reply = HTTPReply(status: 200)
    reply.stream = supply
    echo.held.withLock { $0.removeFirst() }.send(reply)
    return (channel, echo)
  }

  @Test func anAnswerLeavesAsItComes() throws {
    let supply = Supply()
    let (channel, echo) = try begin(supply, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
    #expect(try output(channel).hasSuffix("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"))
    supply.add("abc")
    #expect(try output(channel) == "3\r\nabc\r\n")
    supply.add(String(repeating: "x", count: 20_000))
    #expect(try output(channel) == "4e20\r\n\(String(repeating: "x", count: 20_000))\r\n")
    #expect(echo.requests.withLock { $0.count } == 1, "the next request waits")
    supply.add(nil)
    #expect(try output(channel) == "0\r\n\r\n")
    #expect(echo.requests.withLock { $0.count } == 2 && !supply.isCancelled.withLock { $0 })
  }

  @Test func whoeverDoesNotReadIsNotWrittenTo() throws {
    let supply = Supply()
    let (channel, _) = try begin(supply)
    _ = try output(channel)
    channel.isWritable = false
    supply.add("abc")
    #expect(try output(channel).isEmpty)
    channel.isWritable = true
    channel.pipeline.fireChannelWritabilityChanged()
    #expect(try output(channel) == "3\r\nabc\r\n")
  }

  @Test func whoeverLeavesInTheMiddleCancels() throws {
    let supply = Supply()
    let (channel, echo) = try begin(supply)
    try channel.close().wait()
    #expect(supply.isCancelled.withLock { $0 } && echo.abandonedCount.withLock { $0 } == 1)
  }

  @Test func aBodyThatBreaksOffHasNoEnd() throws {
    let supply = Supply(breaks: true)
    let (channel, _) = try begin(supply)
    supply.add("abc")
    supply.add(nil)
    #expect(try output(channel).hasSuffix("3\r\nabc\r\n") && !channel.isActive)
  }

  @Test func anOldClientKnowsNoChunks() throws {
    let supply = Supply()
    let (channel, _) = try begin(supply, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    supply.add("abc")
    supply.add(nil)
    #expect(try output(channel).hasSuffix("\r\nConnection: close\r\n\r\nabc") && !channel.isActive)
  }

  @Test func aHeadHasNoBody() throws {
    let supply = Supply()
    let (channel, _) = try begin(supply, "HEAD / HTTP/1.1\r\n\r\n")
    let text = try output(channel)
    #expect(supply.isCancelled.withLock { $0 } && text.hasSuffix("\r\n\r\n"))
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
