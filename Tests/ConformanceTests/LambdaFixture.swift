// A whole Lambda service on a temporary directory, called as over HTTP; it can do everything but run a function.
import Glibc
import Logging
import MartletCore
import MartletLambda
import MartletSandbox
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// Makes no sandboxes.
private final class NoSandboxes: SandboxHost {
  let guarantees: [Guarantee] = []
  let hasOwnRoot = true
  func create(_ specification: SandboxSpecification, observer: any SandboxObserver) -> SandboxID {
    SandboxID(number: 0)
  }
  func start(_ program: SandboxProgram, number: UInt32, in sandbox: SandboxID, output: CInt) {}
  func signal(_ signal: Int, program: UInt32, in sandbox: SandboxID) {}
  func reset(_ sandbox: SandboxID) {}
  func destroy(_ sandbox: SandboxID) {}
}

/// An answer as a test looks at it.
struct Answer {
  let status: Int
  let code: String?
  let body: JSONValue

  var message: String { (body["message"] ?? body["Message"])?.string ?? "" }
  subscript(name: String) -> JSONValue? { body[name] }
  var names: Set<String> { Set((body.members ?? []).map(\.name)) }
}

final class LambdaFixture: Sendable {
  let functions: FunctionTable
  /// Where a test can offer what other services answer.
  let door: Door
  private let service: RESTService<LambdaService>
  private let packages: CodePackages
  private let directory: String
  private let world = RealWorld()
  private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private let place: Place

  static let role = "arn:aws:iam::111111111111:role/r"
  static let arn = "arn:aws:lambda:us-east-1:111111111111:function:f"
  /// Three packages with one file each.
  static let zips = [
    "UEsDBBQAAAAAAIIYIlwreNcIBAAAAAQAAAAIAAAAaW5kZXgucHlBPTEKUEsBAhQDF"
      + "AAAAAAAghgiXCt41wgEAAAABAAAAAgAAAAAAAAAAAAAAKQBAAAAAGluZGV4LnB5UEsFBgAAAAABAAEANgAAACoAAAAAAA==",
    "UEsDBBQAAAAAAIIYIlzoK/ojBAAAAAQAAAAIAAAAaW5kZXgucHlBPTIKUEsBAhQDF"
      + "AAAAAAAghgiXOgr+iMEAAAABAAAAAgAAAAAAAAAAAAAAKQBAAAAAGluZGV4LnB5UEsFBgAAAAABAAEANgAAACoAAAAAAA==",
    "UEsDBBQAAAAAAIIYIlypGuE6BAAAAAQAAAAIAAAAaW5kZXgucHlBPTMKUEsBAhQDF"
      + "AAAAAAAghgiXKka4ToEAAAABAAAAAgAAAAAAAAAAAAAAKQBAAAAAGluZGV4LnB5UEsFBgAAAAABAAEANgAAACoAAAAAAA==",
  ]

  init() throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let limits = LambdaLimits()
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(FunctionRecord.migrations + Documents.migrations)
    functions = try FunctionTable(database: database)
    packages = CodePackages(
      blobs: try Blobs(root: "\(directory)/blobs"), trees: CodeTrees(root: "\(directory)/trees"), limits: limits,
      world: world)
    try Files.makeDirectory("\(directory)/trees")
    let python = Interpreter(family: .python, version: "3.12", path: "/usr/bin/python3.12")
    let runtimes = RuntimeCatalog(interpreters: [python])
    let parts = EnvironmentParts(
      world: world, limits: limits, sandboxes: NoSandboxes(), packages: packages, runtimes: runtimes,
      root: try RuntimeRoot(bootstrapsIn: "\(directory)/runtimes", outbound: false), platform: nil, network: .loopback,
      log: log)
    let placement = Placement(parts: parts, group: .singleton, idleTimeout: .seconds(60))
    let line = Line(
      functions: functions, admission: Admission(limits: limits), placement: placement,
      world: world)
    let provisioned = ProvisionedConcurrency(functions: functions, placement: placement, log: log)
    door = Door(log: log)
    let lambda = LambdaService(
      world: world, limits: limits, functions: functions, packages: packages, runtimes: runtimes,
      activation: FunctionActivation(functions: functions, packages: packages, world: world, log: log), line: line,
      provisioned: provisioned, door: door, log: log)
    service = RESTService(lambda, rows: LambdaService.rows, door: door)
  }

  deinit {
    var paths = [directory]
    var i = 0
    while i < paths.count {
      chmod(paths[i], 0o700)
      if let open = opendir(paths[i]) {
        while let entry = readdir(open) {
          let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
          }
          if name != ".", name != ".." { paths.append("\(paths[i])/\(name)") }
        }
        closedir(open)
      }
      i += 1
    }
    for path in paths.reversed() { remove(path) }
  }

  func call(
    _ method: HTTPMethod, _ uri: String, _ body: String = "", bodyExceedsLimit: Bool = false
  ) async throws -> Answer {
    let request = HTTPRequest(
      method: method, uri: uri, headers: [:], body: ByteBuffer(string: body), bodyExceedsLimit: bodyExceedsLimit)
    let call = Call(
      requestID: RequestID(from: world), place: place, caller: .anonymous, host: "localhost:4566", traceHeader: nil)
    let reply = await service.answer(request, call)
    let value: JSONValue = reply.body.readableBytes == 0 ? .null : try JSONValue(parsing: reply.body)
    return Answer(status: reply.status, code: reply.header("x-amzn-ErrorType"), body: value)
  }

  /// Creates `name`.
  /// - Parameter more: further members, beginning with a comma.
  func create(_ name: String = "f", _ more: String = "", zip: Int = 0) async throws -> Answer {
    try await call(
      .POST, "/2015-03-31/functions",
      """
      {"FunctionName":"\(name)","Role":"\(LambdaFixture.role)","Runtime":"python3.12","Handler":"index.handler",
       "Code":{"ZipFile":"\(LambdaFixture.zips[zip])"}\(more)}
      """)
  }

  func get(_ name: String = "f") async throws -> Answer {
    try await call(.GET, "/2015-03-31/functions/\(name)/configuration")
  }

  /// Lets what is pending become active.
  func settle(_ name: String = "f") async {
    let activation = FunctionActivation(functions: functions, packages: packages, world: world, log: log)
    let loop = Task { await activation.run() }
    activation.schedule(FunctionKey(place: place, name: name))
    await functions.wait(for: FunctionKey(place: place, name: name)) { record in
      record.map { !FunctionActivation.isPending($0) } ?? true
    }
    activation.stop()
    await loop.value
  }

  /// Creates `name` and lets it become active.
  func make(_ name: String = "f", _ more: String = "") async throws {
    let answer = try await create(name, more)
    try #require(answer.status == 201, "\(answer.message)")
    await settle(name)
  }

  func expect(
    _ answer: Answer, _ status: Int, _ code: String, _ message: String, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(answer.status == status, sourceLocation: location)
    #expect(answer.code == code, sourceLocation: location)
    #expect(answer.message == message, sourceLocation: location)
  }
}
