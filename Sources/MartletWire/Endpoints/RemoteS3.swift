// S3 at a remote endpoint: answers the calls of other services by HTTP, signed.
import Logging
import MartletCore
import NIOCore
import NIOHTTP1

package struct RemoteS3: Sendable {
  private let endpoint: RemoteEndpoint
  private let world: any World
  /// Where objects lie while they are on their way.
  private let directory: String
  private let security: (any TransportSecurity)?
  private let log: Logger
  /// Waited before the second attempt, and twice as long before the third.
  private let pause: Duration
  private let patience: HTTPClient.Patience

  static let attempts = 3
  static let redirects = 3

  package init(
    _ endpoint: RemoteEndpoint, world: any World, directory: String, security: (any TransportSecurity)? = nil,
    log: Logger, pause: Duration = .milliseconds(200), patience: HTTPClient.Patience = .init()
  ) {
    self.endpoint = endpoint
    self.world = world
    self.directory = directory
    self.security = security
    self.log = log
    self.pause = pause
    self.patience = patience
  }

  /// Fetches an object into a file.
  /// - Throws: what S3 says; `ServiceException` with the endpoint's address if nobody is there.
  package func get(_ input: S3.GetObject.Input, _ call: Call) async throws(AWSError) -> S3.GetObject.Output {
    var uri = "/\(Percent.encode(input.bucket))/\(Percent.encodePath(input.key))"
    if let version = input.version { uri += "?versionId=\(Percent.encode(version))" }
    let reply = try await send(uri, call, limit: input.limit)
    guard let file = reply.file?.file else {
      throw .endpointUnreachable(endpoint, "its answer has no body")
    }
    return S3.GetObject.Output(
      body: file, version: reply.header("x-amz-version-id"), etag: reply.header("ETag") ?? "")
  }

  private func send(_ uri: String, _ call: Call, limit: ByteCount?) async throws(AWSError) -> HTTPReply {
    var (address, uri) = (endpoint.address, uri)
    var redirects = 0
    var attempt = 1
    while true {
      let problem: AWSError
      switch await sendOnce(address, uri, call, limit: limit) {
      case .success(let reply) where reply.status == 200:
        guard let file = reply.file?.file, let limit, file.size > limit.bytes else { return reply }
        throw .s3TooLarge()
      case .success(let reply):
        if reply.status == 307, redirects < RemoteS3.redirects, let next = redirect(reply, from: address) {
          redirects += 1
          (address, uri) = next
          continue
        }
        problem = RemoteS3.error(in: reply)
        guard [500, 502, 503, 504].contains(reply.status) else { throw problem }
      case .failure(let fault):
        if fault.stage == RemoteS3.tooLarge { throw .s3TooLarge() }
        problem = .endpointUnreachable(endpoint, "\(fault)")
      }
      guard attempt < RemoteS3.attempts else { throw problem }
      log.notice(
        "remote endpoint failed, trying again",
        metadata: ["endpoint": "\(address)", "attempt": "\(attempt)", "error": "\(problem.message)"])
      do { try await Task.sleep(for: pause * (1 << (attempt - 1))) } catch { throw problem }
      attempt += 1
    }
  }

  private static let tooLarge = "object too large"

  private func sendOnce(
    _ address: HTTPAddress, _ uri: String, _ call: Call, limit: ByteCount?
  ) async -> Result<HTTPReply, Fault> {
    var headers: HTTPHeaders = ["Host": address.hostHeader, "User-Agent": "Martlet"]
    if let keys = endpoint.keys {
      let signature = SignatureV4(keys: keys, region: endpoint.region ?? call.place.region.name, service: "s3")
      signature.sign("GET", uri, headers: &headers, at: world.hostNow())
    }
    let client = HTTPClient(address, patience: patience, security: security)
    let directory = directory
    do throws(Fault) {
      return .success(
        try await client.fetch(.GET, uri, headers: headers) { head throws(Fault) in
          guard head.status == 200 else { return nil }
          let length = head.header("Content-Length").flatMap { Int($0) } ?? 0
          if let limit, length > limit.bytes { throw Fault(RemoteS3.tooLarge) }
          return try DraftFile(in: directory, limit: limit)
        })
    } catch {
      return .failure(error)
    }
  }

  /// Where S3 sends a request for a bucket that was made a moment ago. Never from an encrypted connection to another.
  private func redirect(_ reply: HTTPReply, from address: HTTPAddress) -> (HTTPAddress, String)? {
    guard let location = reply.header("Location"), let mark = location.firstIndex(of: ":"),
      location[mark...].hasPrefix("://"),
      let slash = location[location.index(mark, offsetBy: 3)...].firstIndex(of: "/"),
      let next = HTTPAddress(String(location[..<slash])), next.isSecure || !address.isSecure
    else { return nil }
    return (next, String(location[slash...]))
  }

  /// The error that a reply carries: S3's XML, or at least its status.
  static func error(in reply: HTTPReply) -> AWSError {
    let element = try? XMLElement(parsing: reply.body.readableBytesView)
    guard let element, element.name == "Error", let code = element["Code"] else {
      return AWSError(
        "\(reply.status)", status: reply.status, HTTPResponseStatus(statusCode: reply.status).reasonPhrase)
    }
    var message = element["Message"] ?? ""
    if code == "PermanentRedirect", let region = element["Region"] ?? reply.header("x-amz-bucket-region") {
      message = AWSError.bucketElsewhere(region).message
    }
    return AWSError(code, status: reply.status, message)
  }
}
