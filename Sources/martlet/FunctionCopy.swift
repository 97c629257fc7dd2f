// A copy of a function for a while: the same code and configuration under a name of its own.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletServer
import MartletWire
import NIOCore
import Synchronization

final class FunctionCopy: Sendable {
  private let server: ServerOptions
  private let original: JSONValue
  let name: String
  /// The server may have it.
  private let exists = Mutex(false)

  /// Reads the function; nothing is made yet.
  init(of function: String, _ qualifier: String?, _ server: ServerOptions) async throws {
    self.server = server
    let query = qualifier.map { "?Qualifier=\(Percent.encode($0))" } ?? ""
    original = try JSONValue(
      parsing: try await server.call(.get, "/2015-03-31/functions/\(Percent.encode(function))\(query)").body)
    let base = original["Configuration"]?["FunctionName"]?.string ?? "function"
    name = "\(base.prefix(48))-tune-\(String(RealWorld().random() & 0xffff_ffff, radix: 16))"
  }

  private var configuration: JSONValue { original["Configuration"] ?? .null }
  var architecture: Architecture {
    configuration["Architectures"]?.array?.first?.string.flatMap { Architecture(rawValue: $0) } ?? .x86
  }
  /// Mebibytes of /tmp.
  var storage: Int64 { Int64(configuration["EphemeralStorage"]?["Size"]?.integer ?? 512) }

  private var path: String { "/2015-03-31/functions/\(name)" }
  private static let json = [("Content-Type", "application/json")]

  // MARK: - Its life

  func create(memory: Int) async throws {
    try await prepareLog()
    let body = try await settings(memory: memory)
    exists.withLock { $0 = true }
    _ = try await server.call(
      .post, "/2015-03-31/functions", headers: FunctionCopy.json, body: ByteBuffer(string: body.text))
    try await ready()
  }

  func resize(_ memory: Int) async throws {
    _ = try await server.call(
      .put, "\(path)/configuration", headers: FunctionCopy.json,
      body: ByteBuffer(string: JSONValue.members(("MemorySize", .integer(Int64(memory)))).text))
    try await ready()
  }

  /// One invocation.
  /// - Throws: after a complaint, if the function fails: what fails is not worth measuring.
  func invoke(_ event: ByteBuffer) async throws -> LambdaReport {
    let reply = try await server.call(
      .post, "\(path)/invocations", headers: FunctionCopy.json + [("X-Amz-Log-Type", "Tail")], body: event)
    if reply.header("X-Amz-Function-Error") != nil {
      Console.complain("martlet: the function fails: \(String(buffer: reply.body))")
      throw ExitCode(1)
    }
    let log = reply.header("X-Amz-Log-Result").flatMap { Base64.decode($0) }.map { String(buffer: $0) } ?? ""
    guard let report = LambdaReport(log: log) else {
      Console.complain("martlet: the log of the copy has no REPORT")
      throw ExitCode(1)
    }
    return report
  }

  /// Takes it away. Says so if that cannot be.
  func remove() async {
    guard exists.withLock({ $0 }) else { return }
    do {
      _ = try await server.call(.delete, path) { $0.status == 404 }
    } catch {
      Console.complain("martlet: \(name) could not be deleted")
    }
  }

  /// All copies log there, for a day. A group of its own would come back after its deletion, with the last lines of an
  /// invocation that was interrupted.
  private static let group = "/martlet/tune"

  private func prepareLog() async throws {
    let name = JSONValue.Member("logGroupName", .string(FunctionCopy.group))
    for (operation, body) in [
      ("CreateLogGroup", JSONValue.object([name])),
      ("PutRetentionPolicy", .object([name, .init("retentionInDays", .integer(1))])),
    ] {
      _ = try await server.call(
        .post, "/", headers: [("X-Amz-Target", "Logs_20140328.\(operation)")], body: ByteBuffer(string: body.text),
        service: "logs"
      ) { String(buffer: $0.body).contains("ResourceAlreadyExistsException") }
    }
  }

  private func ready() async throws {
    while true {
      let state = try JSONValue(parsing: try await server.call(.get, "\(path)/configuration").body)
      guard state["State"]?.string == "Pending" || state["LastUpdateStatus"]?.string == "InProgress" else { return }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  // MARK: - What it is like

  /// All that decides how the function runs; not what calls it, and not where its results go.
  private func settings(memory: Int) async throws -> JSONValue {
    let c = configuration
    var members: [JSONValue.Member] = [
      .init("FunctionName", .string(name)), .init("MemorySize", .integer(Int64(memory))),
      .init("Description", .string("A copy for martlet tune")),
      // REPORT is read from the log, whatever the function has.
      .init("LoggingConfig", .members(("LogFormat", .string("Text")), ("LogGroup", .string(FunctionCopy.group)))),
    ]
    for member in [
      "Role", "Runtime", "Handler", "Timeout", "PackageType", "Architectures", "EphemeralStorage", "FileSystemConfigs",
      "KMSKeyArn",
    ] {
      if let value = c[member], value != .null { members.append(.init(member, value)) }
    }
    if let variables = c["Environment"]?["Variables"] {
      members.append(.init("Environment", .members(("Variables", variables))))
    }
    if let layers = c["Layers"]?.array {
      members.append(.init("Layers", .array(layers.compactMap { $0["Arn"] })))
    }
    if let image = c["ImageConfigResponse"]?["ImageConfig"] { members.append(.init("ImageConfig", image)) }
    if let vpc = c["VpcConfig"], vpc["SubnetIds"]?.array?.isEmpty == false {
      members.append(
        .init(
          "VpcConfig", .members(("SubnetIds", vpc["SubnetIds"]), ("SecurityGroupIds", vpc["SecurityGroupIds"]))))
    }
    members.append(.init("Code", try await code()))
    return .object(members)
  }

  private func code() async throws -> JSONValue {
    if let image = original["Code"]?["ImageUri"] { return .members(("ImageUri", image)) }
    // The link is to the same server.
    guard let location = original["Code"]?["Location"]?.string, let mark = location.firstRange(of: "://"),
      let path = location[mark.upperBound...].firstIndex(of: "/")
    else { throw ValidationError("the code of the function cannot be had") }
    let reply = try await server.call(.get, String(location[path...]))
    let code = Data(reply.body.readableBytesView)
    return .members(("ZipFile", .string(code.base64EncodedString())))
  }
}
