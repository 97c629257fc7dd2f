// A capacity provider: instances that functions can be placed on. It is kept and shown; no instances are started.
// https://docs.aws.amazon.com/lambda/latest/api/API_CapacityProvider.html
import MartletCore
import MartletStore
import MartletWire

package struct CapacityProvider: Document, TaggedRecord {
  enum State: String, Sendable, CaseIterable {
    case pending = "Pending"
    /// The record is complete, and functions may name it. Nothing runs on it.
    case active = "Active"
    case failed = "Failed"
    case deleting = "Deleting"

    /// On the way to another state.
    var isBusy: Bool { self == .pending || self == .deleting }
  }

  package let key: ResourceKey
  var state: State
  /// By their names in the API.
  var settings: [String: JSONValue]
  var lastModified: Timestamp
  var tags: [(key: String, value: String)] = []

  var arn: String { CapacityProvider.arn(key) }

  static func arn(_ key: ResourceKey) -> String {
    ARN(service: "lambda", place: key.place, resource: "capacity-provider:\(key.name)").description
  }

  /// The state that follows; nil: the record goes.
  func settled() -> CapacityProvider? {
    if state == .deleting { return nil }
    var copy = self
    if state == .pending { copy.state = .active }
    return copy
  }

  func write(to w: inout MemberWriter) {
    w.member("CapacityProviderArn", arn)
    w.member("State", state.rawValue)
    for name in CapacitySettings.names { w.member(name, settings[name]) }
    w.member("LastModified", lastModified.lambdaLastModified)
  }

  // MARK: - In the database

  package static let kind = "capacity-provider"

  package var document: String {
    JSONValue.members(
      ("State", .string(state.rawValue)), ("Settings", .object(settings.map { .init($0.key, $0.value) })),
      ("LastModified", .integer(lastModified.nanoseconds)),
      ("Tags", .object(tags.map { .init($0.key, .string($0.value)) }))
    ).text
  }
}

extension CapacityProvider {
  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document), let members = json["Settings"]?.members,
      let state = json["State"]?.string.flatMap({ State(rawValue: $0) }), let modified = json["LastModified"]?.integer
    else { throw Fault("read capacity providers", "\(key.name) is damaged: \(document.prefix(200))") }
    self.init(
      key: key, state: state,
      settings: Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
      lastModified: Timestamp(nanoseconds: Int64(modified)),
      tags: (json["Tags"]?.members ?? []).map { ($0.name, $0.value.string ?? "") })
  }
}

/// A capacity provider as operations answer it.
struct CapacityAnswer: Writable, Sendable {
  let provider: CapacityProvider

  func write(to w: inout Writer) {
    w.body { $0.object("CapacityProvider") { provider.write(to: &$0) } }
  }
}

extension LambdaService {
  /// What a name or an ARN leads to.
  /// - Throws: AWS's 404 for an ARN of another account, region or partition.
  func capacityKey(_ name: String, _ call: Call) throws(AWSError) -> ResourceKey {
    guard name.contains(":") else { return ResourceKey(place: call.place, name: name) }
    let key = ResourceKey(place: call.place, name: name.split(separator: ":").last.map { String($0) } ?? "")
    guard CapacityProvider.arn(key) == name else { throw .capacityProviderNotFound(name) }
    return key
  }

  func capacityProvider(_ name: String, _ call: Call) throws(AWSError) -> CapacityProvider {
    let key = try capacityKey(name, call)
    guard let provider = resources.capacityProviders.find(key) else {
      throw .capacityProviderNotFound(CapacityProvider.arn(key))
    }
    return provider
  }
}

extension FunctionConfiguration {
  /// What the version asks of its capacity provider.
  private var managedInstances: JSONValue? {
    kept["CapacityProviderConfig"]?["LambdaManagedInstancesCapacityProviderConfig"]
  }

  /// The ARN of the capacity provider that the version shall run on.
  var capacityProviderARN: String? { managedInstances?["CapacityProviderArn"]?.string }

  /// Cores of one environment.
  var managedCores: Double {
    let ratio =
      switch managedInstances?["ExecutionEnvironmentMemoryGiBPerVCpu"] {
      case .double(let number): number
      case .integer(let number): Double(number)
      default: 2.0
      }
    return Double(memorySize) / 1024 / ratio
  }

  /// How many invocations share one environment; nil for functions whose environments serve one at a time, and under a
  /// debugger.
  package var environmentConcurrency: Int? {
    guard !kept.isEmpty, debugging == nil, let managedInstances else { return nil }
    if let said = managedInstances["PerExecutionEnvironmentMaxConcurrency"]?.integer { return said }
    let family = runtime.flatMap { RuntimeCatalog.identifier($0) }?.family
    // What AWS documents for each core.
    let perCore =
      switch family {
      case .nodejs: 64
      case .java: 32
      default: 16
      }
    return min(1600, perCore * max(1, Int(managedCores)))
  }
}

extension AWSError {
  static func capacityProviderNotFound(_ arn: String) -> AWSError {
    AWSError(
      "ResourceNotFoundException", status: 404, "Capacity provider not found: \(arn)", messageKey: .upper)
  }

  static func capacityProviderExists(_ arn: String) -> AWSError {
    AWSError("ResourceConflictException", status: 409, "Capacity provider already exists: \(arn)")
  }

  static func capacityProviderBusy(_ arn: String, _ state: CapacityProvider.State) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The operation cannot be performed at this time. The capacity provider \(arn) is currently in the following "
        + "state: \(state.rawValue)")
  }

  static func capacityProviderInUse(_ arn: String) -> AWSError {
    AWSError(
      "ResourceConflictException", status: 409,
      "The capacity provider \(arn) is used by function versions and can not be deleted.")
  }
}
