// IAM and STS on a temporary database, called as over HTTP.
import Glibc
import Logging
import MartletCloud
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

final class CloudFixture: Sendable {
  let iam: IAMService
  private let iamWire: QueryService<IAMService>
  private let stsWire: QueryService<STSService>
  private let path: String
  private let world = RealWorld()

  /// An answer as a test looks at it: no more than the texts of XML.
  struct Answer {
    let status: Int
    let text: String

    var code: String { element("Code") ?? "" }
    var message: String { element("Message") ?? "" }

    /// What stands between the first `<name>` and its end.
    func element(_ name: String) -> String? {
      guard let start = text.firstRange(of: "<\(name)>")?.upperBound,
        let end = text[start...].firstRange(of: "</\(name)>")?.lowerBound
      else { return nil }
      return String(text[start..<end])
        .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
        .replacing("&#xD;", with: "\r").replacing("&amp;", with: "&")
    }
  }

  init() async throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    close(descriptor)
    path = try template.withUnsafeBufferPointer { try #require($0.baseAddress.map { String(cString: $0) }) }
    let database = try Database(path: path)
    try database.migrate(Documents.migrations)
    iam = try await IAMService(database: database, world: world)
    let door = Door(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    iamWire = QueryService(
      iam, rows: IAMService.rows, version: IAMService.version, namespace: IAMService.namespace, door: door)
    stsWire = QueryService(
      STSService(iam: iam, world: world), rows: STSService.rows, version: STSService.version,
      namespace: STSService.namespace, door: door)
  }

  deinit { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }

  func call(account: String = "111111111111", caller: Principal = .anonymous) throws -> Call {
    let place = Place(account: try #require(Account(account)), region: try #require(Region("us-east-1")))
    return Call(
      requestID: RequestID(from: world), place: place, caller: caller, host: "localhost:4566", traceHeader: nil)
  }

  /// - Parameter form: further parameters, beginning with `&`.
  func iam(_ action: String, _ form: String = "", caller: Principal = .anonymous) async throws -> Answer {
    try await send("Action=\(action)\(form)", to: iamWire, caller)
  }

  func sts(_ action: String, _ form: String = "", caller: Principal = .anonymous) async throws -> Answer {
    try await send("Action=\(action)\(form)", to: stsWire, caller)
  }

  private func send(_ body: String, to service: any WireService, _ caller: Principal) async throws -> Answer {
    let request = HTTPRequest(method: .POST, uri: "/", headers: [:], body: ByteBuffer(string: body))
    let reply = await service.answer(request, try call(caller: caller))
    return Answer(status: reply.status, text: String(buffer: reply.body))
  }
}
