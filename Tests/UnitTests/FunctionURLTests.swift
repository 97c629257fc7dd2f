// Function URLs without a server: addresses, events, answers, preludes, browsers.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletLambda

@Suite struct FunctionURLTests {
  private static let id = String(repeating: "a1", count: 16)

  // MARK: Addresses

  @Test(
    arguments: [
      ("\(id).lambda-url.us-east-1.localhost:4566", "/p", id, "/p", "\(id).lambda-url.us-east-1.localhost"),
      ("\(id.uppercased()).lambda-url.eu-west-1.on.aws", "/", id, "/", "\(id).lambda-url.eu-west-1.on.aws"),
      ("127.0.0.1:4566", "/_martlet/url/\(id)/a/b", id, "/a/b", nil),
      ("127.0.0.1:4566", "/_martlet/url/\(id)", id, "/", nil),
      ("127.0.0.1:4566", "/_martlet/url/", "", "/", nil),
    ] as [(String, String, String, String, String?)])
  func addresses(host: String, path: String, id: String, toldPath: String, domain: String?) {
    let address = FunctionURLAddress(host: host, path: path[...])
    #expect(address?.id == id && address?.path == toldPath[...] && address?.domain == domain)
  }

  @Test(arguments: [
    "", "localhost", "lambda-url.us-east-1.localhost", "\(id).lambda-url", "\(id).s3.localhost",
    "\(id)x.lambda-url.us-east-1.localhost", "é\(id).lambda-url.x",
  ]) func otherHosts(host: String) {
    #expect(FunctionURLAddress(host: host, path: "/_martlet/health") == nil)
  }

  // MARK: Events

  private func event(_ method: HTTPMethod, _ uri: String, _ headers: HTTPHeaders, _ body: ByteBuffer) throws
    -> JSONValue
  {
    let request = HTTPRequest(method: method, uri: uri, headers: headers, body: body)
    let event = FunctionURLEvent(
      request: request, id: "i", path: request.path, domain: "d", source: "1.2.3.4", port: "80", caller: nil,
      accessKey: nil, requestID: RequestID(from: RealWorld()), traceHeader: "Root=1-2-3;Parent=4;Sampled=0",
      now: Timestamp(milliseconds: 784_111_777_123))
    return try JSONValue(parsing: event.json)
  }

  @Test func membersStandInAWSsOrder() throws {
    let event = try event(
      .POST, "/a?b=c", ["Content-Type": "text/plain", "Cookie": " x=1 ;;y=2"], ByteBuffer(string: "z"))
    #expect(
      event.members?.map(\.name) == [
        "version", "routeKey", "rawPath", "rawQueryString", "cookies", "headers", "queryStringParameters",
        "requestContext", "body", "isBase64Encoded",
      ])
    #expect(event["requestContext"]?["time"]?.string == "06/Nov/1994:08:49:37 +0000")
    #expect(event["requestContext"]?["timeEpoch"]?.integer == 784_111_777_123)
    #expect(event["headers"]?["x-amzn-trace-id"]?.string == "Root=1-2-3")
    #expect(event["cookies"]?.array?.compactMap(\.string) == ["x=1", "y=2"])
  }

  @Test(arguments: [21, 22, 23]) func anyRequestIsAnEvent(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let seeds = ["/a/%41?b=%20&c", "/é?=&&=", "/?", "//", "/%%%"].map { Array($0.utf8) }
    for _ in 0..<500 {
      let uri = String(decoding: random.mutated(seeds[Int(random.next() % 5)]), as: UTF8.self)
      let bytes = random.mutated(Array("text \" \\ \u{1}".utf8))
      let type = random.next() % 2 == 0 ? "text/plain" : "image/png"
      let event = try event(.PUT, uri, ["Content-Type": type, "X": uri], ByteBuffer(bytes: bytes))
      guard let body = event["body"]?.string else {
        #expect(bytes.isEmpty)
        continue
      }
      let isEncoded = event["isBase64Encoded"]?.bool == true
      #expect(isEncoded ? Base64.decode(body) == ByteBuffer(bytes: bytes) : Array(body.utf8) == bytes)
      #expect(event["headers"]?["x"]?.string == uri)
    }
  }

  // MARK: Answers

  private func infer(_ text: String) -> HTTPReply? { FunctionURLAnswer.infer(ByteBuffer(string: text)) }

  @Test func numbersAndNothing() {
    #expect(infer("null").map { String(buffer: $0.body) } == "null")
    #expect(infer("1e3").map { String(buffer: $0.body) } == "1e3", "as the function wrote it")
    #expect(infer(#"{"statusCode":200.5}"#) == nil && infer("") == nil && infer("x") == nil)
    #expect(infer(#"{"statusCode":600}"#) == nil && infer(#"{"statusCode":100}"#) == nil)
    #expect(infer(#"{"statusCode":599,"body":null}"#)?.status == 599)
  }

  @Test(arguments: [31, 32, 33]) func noAnswerCanForgeAHead(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let text = #"{"statusCode":200,"headers":{"X-a":"b\r\nc","Content-Type":"t"},"cookies":["d=e"],"body":"f"}"#
    for _ in 0..<3_000 {
      guard let reply = FunctionURLAnswer.infer(ByteBuffer(bytes: random.mutated(Array(text.utf8)))) else { continue }
      #expect((200...599).contains(reply.status))
      for header in reply.headers {
        #expect(!header.name.isEmpty && header.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 58 }, "\(header)")
      }
    }
  }

  // MARK: Preludes

  /// Wherever the pieces are cut: the prelude ends at the first eight zeros, and the body is what follows.
  @Test(arguments: [51, 52, 53]) func preludesAreSplit(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    for _ in 0..<500 {
      let prelude = Array(#"{"statusCode":2\#(random.next() % 90 + 10)}"#.utf8)
      let zeros = [UInt8](repeating: 0, count: 8)
      let body = (0..<Int(random.next() % 30)).map { _ in UInt8(truncatingIfNeeded: random.next() % 3) }
      let whole = ByteBuffer(bytes: prelude + zeros + body)
      let found = try #require(FunctionURLAnswer.split(whole))
      #expect(Array(found.prelude.readableBytesView) == prelude && Array(found.body.readableBytesView) == body)
      #expect(FunctionURLAnswer.head(prelude: found.prelude)?.status != nil)
      let cut = Int(random.next() % UInt64(prelude.count + 8))
      #expect(FunctionURLAnswer.split(try #require(whole.getSlice(at: 0, length: cut))) == nil)
    }
  }

  @Test(arguments: [61, 62, 63]) func rubbishInPreludes(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let text = #"{"statusCode":201,"headers":{"a":"b"},"multiValueHeaders":{"c":["d"]},"cookies":["e"]}"#
    for _ in 0..<3_000 {
      let bytes = random.mutated(Array(text.utf8) + [UInt8](repeating: 0, count: 9) + Array("body".utf8))
      guard
        let reply = FunctionURLAnswer.collected(
          ByteBuffer(bytes: bytes), contentType: FunctionURLAnswer.integrationType)
      else { continue }
      #expect((200...599).contains(reply.status) && reply.body.readableBytes < bytes.count)
    }
  }

  @Test func anotherTypeIsNoPrelude() {
    let raw = ByteBuffer(string: "plain")
    let reply = FunctionURLAnswer.collected(raw, contentType: "text/plain")
    #expect(reply?.body == raw && reply?.header("Content-Type") == "text/plain")
  }

  // MARK: Browsers

  @Test func whoMayAsk() {
    var cors = FunctionURL.CORS()
    func allowed(_ origin: String?) -> String? { cors.headers(origin: origin).first?.value }
    #expect(allowed("http://a") == nil, "nobody unless somebody is named")
    cors.allowOrigins = ["*"]
    #expect(allowed("http://a") == "*" && allowed(nil) == nil)
    cors.allowCredentials = true
    #expect(allowed("http://a") == "http://a", "with credentials a star is none")
    cors.allowOrigins = ["https://*.x.example", "http://one"]
    #expect(allowed("https://a.x.example") == "https://a.x.example" && allowed("HTTP://ONE") == "HTTP://ONE")
    #expect(allowed("https://x.example") == nil && allowed("https://.x.example.evil") == nil)
    #expect(allowed("https://.x.example") != nil)
  }
}
