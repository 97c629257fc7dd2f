// A remote S3 that misbehaves: it fails and recovers, redirects, breaks off, says nothing, is not there.
import Glibc
import Logging
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite struct RemoteS3Tests {
  /// Answers one request after another as told; the last answer again and again.
  private final class Stub: HTTPResponder {
    let answers: Mutex<[HTTPReply?]>
    let requests = Mutex<[HTTPRequest]>([])

    init(_ answers: [HTTPReply?]) { self.answers = Mutex(answers) }

    func bodyLimit(for head: HTTPRequestHead) -> Int { 0 }

    func respond(to request: HTTPRequest, _ exchange: HTTPExchange) {
      requests.withLock { $0.append(request) }
      let answer = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
      // nil = silence.
      if let answer { exchange.send(answer) }
    }
  }

  private func reply(_ status: Int, _ body: String, _ headers: [(name: String, value: String)] = []) -> HTTPReply {
    HTTPReply(status: status, headers: headers, body: ByteBuffer(string: body))
  }

  private func error(_ status: Int, _ code: String, _ more: String = "") -> HTTPReply {
    reply(status, "<Error><Code>\(code)</Code><Message>m.</Message>\(more)</Error>")
  }

  private func call() throws -> Call {
    let place = Place(
      account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    return Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost", traceHeader: nil)
  }

  private func remote(port: Int, keys: AccessKeys? = nil, silence: Duration = .seconds(120)) throws -> RemoteS3 {
    let address = try #require(HTTPAddress("http://127.0.0.1:\(port)"))
    // A starved host is no failure: each would be one attempt less of those that a test counts.
    var patience = HTTPClient.Patience()
    patience.connect = .seconds(120)
    patience.silence = silence
    return RemoteS3(
      RemoteEndpoint(service: "s3", address: address, keys: keys), world: RealWorld(), directory: "/tmp",
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, pause: .zero, patience: patience)
  }

  private func get(
    _ answers: [HTTPReply?], key: String = "k", limit: Int? = nil, keys: AccessKeys? = nil,
    silence: Duration = .seconds(120)
  ) async throws -> (Result<S3.GetObject.Output, AWSError>, [HTTPRequest]) {
    let stub = Stub(answers)
    let listener = try await HTTPServer.listen(host: "127.0.0.1", port: 0, group: .singleton, responder: stub)
    let s3 = try remote(port: try #require(listener.port), keys: keys, silence: silence)
    var input = S3.GetObject.Input(bucket: "b", key: key, version: "v/1")
    input.limit = limit.map { .bytes($0) }
    let call = try call()
    let result: Result<S3.GetObject.Output, AWSError>
    do throws(AWSError) { result = .success(try await s3.get(input, call)) } catch { result = .failure(error) }
    await listener.close()
    return (result, stub.requests.withLock { $0 })
  }

  /// A port of loopback that refuses every connection, and that nobody else can be given, for as long as it is held:
  /// bound, but nobody listens.
  private final class RefusingPort {
    private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let number: Int

    init() throws {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = descriptor
      let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
        }
      }
      number = Int(UInt16(bigEndian: address.sin_port))
      guard isBound else { throw Fault("bind", errno: errno) }
    }

    deinit { close(descriptor) }
  }

  private func text(_ file: OpenFile) -> String { file.withBytes { String(decoding: $0, as: UTF8.self) } }

  @Test func anObjectArrivesInAFile() async throws {
    let body = String(repeating: "0123456789", count: 100_000)
    let answer = reply(200, body, [("ETag", "\"e\""), ("x-amz-version-id", "v/1")])
    let (result, requests) = try await get(
      [answer], key: "a b/c+d", keys: AccessKeys(id: "id", secret: "s", sessionToken: "t"))
    let object = try result.get()
    #expect(text(object.body) == body && object.etag == "\"e\"" && object.version == "v/1")
    let request = try #require(requests.first)
    #expect(request.path == "/b/a%20b/c%2Bd" && request.query == "versionId=v%2F1")
    #expect(request.header("X-Amz-Security-Token") == "t")
    #expect(request.header("X-Amz-Content-Sha256") == SignatureV4.emptyPayload)
    #expect(Credential(authorization: request.header("Authorization") ?? "")?.service == "s3")
  }

  @Test func withoutKeysNothingIsSigned() async throws {
    let (_, requests) = try await get([reply(200, "x")])
    #expect(requests.first?.header("Authorization") == nil)
  }

  @Test func itTriesAgainAfterAFailure() async throws {
    let (result, requests) = try await get([error(503, "SlowDown"), error(500, "InternalError"), reply(200, "x")])
    #expect(text(try result.get().body) == "x" && requests.count == 3)
    let (lost, all) = try await get([error(503, "SlowDown")])
    #expect(throws: AWSError("SlowDown", status: 503, "m.")) { try lost.get() }
    #expect(all.count == 3)
  }

  @Test func refusalsAreNotRepeated() async throws {
    let (result, requests) = try await get([error(404, "NoSuchKey")])
    #expect(throws: AWSError("NoSuchKey", status: 404, "m.")) { try result.get() }
    #expect(requests.count == 1)
    let (odd, _) = try await get([reply(403, "no XML")])
    #expect(throws: AWSError("403", status: 403, "Forbidden")) { try odd.get() }
  }

  @Test func aBucketElsewhere() async throws {
    let (result, _) = try await get([error(301, "PermanentRedirect", "<Region>eu-west-1</Region>")])
    #expect(throws: AWSError.bucketElsewhere("eu-west-1")) { try result.get() }
  }

  @Test func temporaryRedirectsAreFollowed() async throws {
    let other = Stub([reply(200, "there")])
    let listener = try await HTTPServer.listen(host: "127.0.0.1", port: 0, group: .singleton, responder: other)
    let location = "http://127.0.0.1:\(try #require(listener.port))/b/other?x=1"
    let (result, _) = try await get([reply(307, "", [("Location", location)])])
    #expect(text(try result.get().body) == "there")
    #expect(other.requests.withLock { $0.first?.path } == "/b/other")
    await listener.close()
  }

  @Test func aRedirectToNowhere() async throws {
    let port = try RefusingPort()
    let location = "http://127.0.0.1:\(port.number)/b/other?x=1"
    let (result, requests) = try await get([reply(307, "", [("Location", location)])])
    #expect(throws: AWSError.self) { try result.get() }
    #expect(requests.count == 1)
    withExtendedLifetime(port) {}
  }

  @Test func tooLargeIsNotFetched() async throws {
    let (result, _) = try await get([reply(200, "12345")], limit: 4)
    #expect(throws: AWSError.s3TooLarge()) { try result.get() }
    #expect(text(try await get([reply(200, "12345")], limit: 5).0.get().body) == "12345")
  }

  @Test func silenceEnds() async throws {
    let (result, _) = try await get([nil], silence: .milliseconds(50))
    guard case .failure(let error) = result else { throw Fault("it did not fail") }
    #expect(error.code == "ServiceException" && error.message.contains("silent"))
  }

  @Test func nobodyThere() async throws {
    let port = try RefusingPort()
    let (s3, call) = (try remote(port: port.number), try call())
    do throws(AWSError) {
      _ = try await s3.get(S3.GetObject.Input(bucket: "b", key: "k"), call)
      Issue.record("it did not fail")
    } catch {
      #expect(error.status == 500 && error.message.contains("connection refused"), "\(error.message)")
      #expect(error.message.contains("--endpoint s3=http://127.0.0.1:\(port.number)"), "\(error.message)")
    }
    withExtendedLifetime(port) {}
  }
}
