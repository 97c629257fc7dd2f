// A function's configuration as API answers show it, and as Martlet keeps it: the same members, and a few private ones.
import MartletCore
import MartletWire

extension FunctionConfiguration {
  /// What the shape `FunctionConfiguration` is used for decides which members are there.
  package enum Purpose {
    /// Answer to a call about one function.
    case answer
    /// Element of ListFunctions and ListVersionsByFunction: without state and runtime version.
    case listing
    /// Row of the database.
    case record
  }

  /// - Parameter arn: the ARN to show, where it is not the version's own (aliases, `:$LATEST`).
  package func write(to w: inout MemberWriter, for purpose: Purpose = .answer, arn shownARN: String? = nil) {
    w.member("FunctionName", name)
    w.member("FunctionArn", shownARN ?? arn)
    w.member("Runtime", runtime)
    w.member("Role", role)
    w.member("Handler", handler)
    w.member("CodeSize", code.size)
    w.member("Description", description)
    w.member("Timeout", timeout)
    w.member("MemorySize", memorySize)
    w.member("LastModified", lastModified.lambdaLastModified)
    w.member("CodeSha256", code.sha256)
    w.member("Version", version.description)
    if let environment {
      w.object("Environment") { $0.member("Variables", environment.map { (key: $0.name, value: $0.value) }) }
    }
    if let vpc { w.object("VpcConfig") { vpc.write(to: &$0) } }
    if let deadLetterTarget { w.object("DeadLetterConfig") { $0.member("TargetArn", deadLetterTarget) } }
    w.member("KMSKeyArn", kmsKeyARN)
    w.object("TracingConfig") { $0.member("Mode", tracingMode) }
    w.member("RevisionId", revisionID.description)
    if !layers.isEmpty {
      w.list("Layers", layers) {
        $0.member("Arn", $1.arn)
        $0.member("CodeSize", $1.package.size)
      }
    }
    if purpose != .listing { writeState(to: &w) }
    w.member("PackageType", packageType)
    image?.write(to: &w)
    w.member("Architectures", architectures)
    w.object("EphemeralStorage") { $0.member("Size", ephemeralStorage) }
    w.object("SnapStart") {
      $0.member("ApplyOn", snapStartApplyOn)
      $0.member("OptimizationStatus", optimizationStatus)
    }
    if purpose != .listing, let runtime {
      w.object("RuntimeVersionConfig") {
        $0.member("RuntimeVersionArn", RuntimeVersion.arn(runtime, region: place.region))
      }
    }
    w.object("LoggingConfig") {
      $0.member("LogFormat", logging.format.rawValue)
      $0.member("ApplicationLogLevel", logging.applicationLevel)
      $0.member("SystemLogLevel", logging.systemLevel)
      $0.member("LogGroup", logging.group)
    }
    if !kept.isEmpty { for name in KeptSettings.names { w.member(name, kept[name]) } }
    if purpose == .record { writePrivate(to: &w) }
  }

  private func writeState(to w: inout MemberWriter) {
    w.member("State", state.rawValue)
    w.member("StateReason", stateReason?.text)
    w.member("StateReasonCode", stateReason?.code)
    w.member("LastUpdateStatus", lastUpdateStatus?.rawValue)
    w.member("LastUpdateStatusReason", lastUpdateReason?.text)
    w.member("LastUpdateStatusReasonCode", lastUpdateReason?.code)
  }

  private func writePrivate(to w: inout MemberWriter) {
    w.object("_") {
      $0.member("CodeKey", code.key)
      $0.member("UnpackedSize", code.unpackedSize)
      $0.member("ImageUri", image?.uri)
      $0.member("SourceKMSKeyArn", sourceKeyARN)
      $0.member("LastModifiedNanoseconds", Int(lastModified.nanoseconds))
      $0.member("Incarnation", incarnation.description)
      if !layers.isEmpty { $0.member("Layers", .array(layers.map(\.package.json))) }
    }
  }

  /// The row as text.
  package var record: String {
    var json = JSONWriter()
    json.object { MemberWriter.lend(&$0) { write(to: &$0, for: .record) } }
    return json.text
  }

  /// Reads a row that `record` wrote. Throws a `Fault` that names what is damaged.
  package init(record: String, place: Place) throws(Fault) {
    guard let json = try? JSONValue(parsing: record), let name = json["FunctionName"]?.string, let hidden = json["_"],
      let key = hidden["CodeKey"]?.string, let sha256 = json["CodeSha256"]?.string,
      let size = json["CodeSize"]?.integer,
      let modified = hidden["LastModifiedNanoseconds"]?.integer,
      let revision = json["RevisionId"]?.string.flatMap({ RequestID($0) }),
      let incarnation = hidden["Incarnation"]?.string.flatMap({ RequestID($0) }),
      let version = json["Version"]?.string.flatMap({ VersionName($0) })
    else {
      throw Fault("read function from the database", "a row is damaged: \(record.prefix(200))")
    }
    self.init(
      place: place, name: name, role: json["Role"]?.string ?? "",
      code: CodePackage(key: key, sha256: sha256, size: size, unpackedSize: hidden["UnpackedSize"]?.integer ?? 0),
      lastModified: Timestamp(nanoseconds: Int64(modified)), revisionID: revision, incarnation: incarnation)
    self.version = version
    sourceKeyARN = hidden["SourceKMSKeyArn"]?.string
    readMembers(json)
    image = FunctionImage(record: json)
    for (shown, kept) in zip(json["Layers"]?.array ?? [], hidden["Layers"]?.array ?? []) {
      guard let arn = shown["Arn"]?.string, let package = CodePackage(json: kept) else {
        throw Fault("read function from the database", "a layer is damaged: \(record.prefix(200))")
      }
      layers.append(FunctionLayer(arn: arn, package: package))
    }
  }

  private mutating func readMembers(_ json: JSONValue) {
    runtime = json["Runtime"]?.string
    handler = json["Handler"]?.string
    description = json["Description"]?.string ?? ""
    timeout = json["Timeout"]?.integer ?? timeout
    memorySize = json["MemorySize"]?.integer ?? memorySize
    environment = json["Environment"]?["Variables"]?.members?.map {
      EnvironmentVariable(name: $0.name, value: $0.value.string ?? "")
    }
    vpc = json["VpcConfig"].map { VPCSettings(json: $0) }
    for name in KeptSettings.names { kept[name] = json[name] }
    deadLetterTarget = json["DeadLetterConfig"]?["TargetArn"]?.string
    kmsKeyARN = json["KMSKeyArn"]?.string
    tracingMode = json["TracingConfig"]?["Mode"]?.string ?? tracingMode
    packageType = json["PackageType"]?.string ?? packageType
    architectures = json["Architectures"]?.array?.compactMap(\.string) ?? architectures
    ephemeralStorage = json["EphemeralStorage"]?["Size"]?.integer ?? ephemeralStorage
    snapStartApplyOn = json["SnapStart"]?["ApplyOn"]?.string ?? snapStartApplyOn
    if let logging = json["LoggingConfig"] {
      self.logging.format = logging["LogFormat"]?.string.flatMap { .init(rawValue: $0) } ?? .text
      self.logging.applicationLevel = logging["ApplicationLogLevel"]?.string
      self.logging.systemLevel = logging["SystemLogLevel"]?.string
      self.logging.group = logging["LogGroup"]?.string ?? self.logging.group
    }
    state = json["State"]?.string.flatMap { .init(rawValue: $0) } ?? .active
    if let text = json["StateReason"]?.string, let code = json["StateReasonCode"]?.string {
      stateReason = StateReason(text: text, code: code)
    }
    lastUpdateStatus = json["LastUpdateStatus"]?.string.flatMap { .init(rawValue: $0) }
    if let text = json["LastUpdateStatusReason"]?.string, let code = json["LastUpdateStatusReasonCode"]?.string {
      lastUpdateReason = StateReason(text: text, code: code)
    }
  }
}
