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
  func connect(port: Int, ticket: UInt32, in sandbox: SandboxID) {}
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
  let layers: LayerTable
  let resources: LambdaResources
  /// Where a test can offer what other services answer.
  let door: Door
  let events: EventQueue
  let alarms: Alarms
  private let service: RESTService<LambdaService>
  private let packages: CodePackages
  private let database: Database
  private let directory: String
  private let world = RealWorld()
  private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let place: Place

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
    database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(FunctionRecord.migrations + Documents.migrations + EventTable.migrations)
    functions = try FunctionTable(database: database)
    layers = try LayerTable(database: database)
    resources = try LambdaResources(database: database, world: world, log: log)
    packages = CodePackages(
      blobs: try Blobs(root: "\(directory)/blobs"), trees: CodeTrees(root: "\(directory)/trees"),
      images: FunctionImages(
        root: "\(directory)/images", registries: ImageRegistry.Settings(), limits: limits, world: world, log: log),
      limits: limits, world: world)
    for name in ["trees", "images"] { try Files.makeDirectory("\(directory)/\(name)") }
    let python = Interpreter(family: .python, version: "3.12", path: "/usr/bin/python3.12")
    let runtimes = RuntimeCatalog(interpreters: [python])
    let parts = EnvironmentParts(
      world: world, limits: limits, sandboxes: NoSandboxes(), packages: packages, runtimes: runtimes,
      root: try RuntimeRoot(bootstrapsIn: "\(directory)/runtimes", outbound: false), platform: nil, network: .loopback,
      log: log)
    let placement = Placement(parts: parts, group: .singleton, idleTimeout: .seconds(60))
    let line = Line(
      functions: functions, admission: Admission(limits: limits, world: world), placement: placement,
      world: world)
    let provisioned = ProvisionedConcurrency(functions: functions, placement: placement, log: log)
    door = Door(log: log)
    alarms = Alarms(world: MovableWorld(world)) { delay, body in
      MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: .nanoseconds(delay.inNanoseconds)) { body() }
    }
    events = try EventQueue(
      database: database, functions: functions, line: line, door: door,
      alarms: alarms, limits: limits, log: log)
    let lambda = LambdaService(
      world: world, limits: limits, functions: functions, layers: layers, resources: resources,
      packages: packages, runtimes: runtimes,
      activation: FunctionActivation(functions: functions, packages: packages, world: world, log: log), line: line,
      events: events,
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
    _ method: HTTPMethod, _ uri: String, _ body: String = "", headers: HTTPHeaders = [:],
    bodyExceedsLimit: Bool = false, place: Place? = nil
  ) async throws -> Answer {
    let request = HTTPRequest(
      method: method, uri: uri, headers: headers, body: ByteBuffer(string: body), bodyExceedsLimit: bodyExceedsLimit)
    let call = Call(
      requestID: RequestID(from: world), place: place ?? self.place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
    let reply = await service.answer(request, call)
    let value: JSONValue = reply.body.readableBytes == 0 ? .null : try JSONValue(parsing: reply.body)
    let answer = Answer(status: reply.status, code: reply.header("x-amzn-ErrorType"), body: value)
    if let row = service.row(for: request) { checkAgainstModel(answer, row.route.name) }
    return answer
  }

  /// Errors that AWS's services answer with although no model documents them.
  private static let common: Set<String> = [
    "AccessDeniedException", "NotImplementedException", "RequestEntityTooLargeException", "SerializationException",
    "ServiceException", "UnknownOperationException", "ValidationException",
  ]
  /// Errors that were recorded from AWS although the model of the operation lacks them.
  private static let recorded: [String: Set<String>] = [:]

  /// Whatever a test asks, the answer has only members, and is only an error, that the operation's model knows.
  private func checkAgainstModel(_ answer: Answer, _ row: String) {
    let name = String(row.dropFirst("Lambda.".count))
    guard let operation = ServiceModel.lambda.operations[name] else { return }
    guard let code = answer.code else {
      // What Invoke answers is the function's own.
      guard !name.hasPrefix("Invoke") else { return }
      let unknown = answer.names.subtracting(operation.output)
      #expect(unknown.isEmpty, "\(name) answers members that its model lacks: \(unknown)")
      return
    }
    guard !LambdaFixture.common.contains(code) else { return }
    let isDocumented = operation.errors.contains(code) || LambdaFixture.recorded[name]?.contains(code) == true
    #expect(isDocumented, "\(name) does not document \(code)")
    guard let failure = ServiceModel.lambda.errors[code] else { return }
    #expect(answer.status == failure.status, "\(name): \(code)")
    if let key = failure.key { #expect(answer.names.contains(key), "\(name): \(code) is spelt \(key)") }
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

  /// Lets event source mappings and capacity providers come to rest. The loop can run once for each fixture.
  func settleResources() async {
    resources.stop()
    await resources.run()
  }

  /// Mappings, providers and configurations as a server finds them that is started after this one was killed.
  func resourcesAfterCrash() throws -> LambdaResources {
    try LambdaResources(database: database, world: world, log: log)
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
