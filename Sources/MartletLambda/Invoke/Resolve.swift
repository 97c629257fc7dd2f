// From the name that the caller used to the version that runs.
import MartletCore

/// What an invocation runs, and the shares of concurrency that it may use. An object, because it is large and goes
/// through many hands.
package final class Resolved: Sendable {
  package let configuration: FunctionConfiguration
  /// The directory of the host from which it runs.
  package let directory: WatchedDirectory?
  /// The function's reserved concurrency; nil if it shares the account's.
  package let reserved: Int?
  /// What provisioned concurrency takes out of the share above, or out of the account's.
  package let provisionedTotal: Int
  /// Whether a chain of requests that goes round in circles ends at this function.
  package let stopsLoops: Bool
  /// What all functions of the account together have taken out of it.
  package let setAside: Int

  /// How many invocations the environments of its capacity provider may have together; nil: not limited by that.
  let managedLimit: Int?

  package init(_ configuration: FunctionConfiguration, _ record: FunctionRecord, setAside: Int) {
    self.configuration = configuration
    directory = record.directories.isEmpty || configuration.version != .latest ? nil : record.directories[""]
    reserved = record.reserved
    provisionedTotal = record.provisioned.isEmpty ? 0 : record.provisionedTotal
    stopsLoops = record.recursionConfigs.isEmpty || record.recursionConfigs[""]?.loop != "Allow"
    self.setAside = setAside
    managedLimit =
      record.scalingConfigs.isEmpty
      ? nil
      : record.scalingConfigs[configuration.version.description]?.maximum.flatMap { environments in
        configuration.environmentConcurrency.map { $0 * environments }
      }
  }

  private init(_ other: Resolved, _ configuration: FunctionConfiguration, reserved: Int?) {
    self.configuration = configuration
    self.reserved = reserved
    directory = other.directory
    provisionedTotal = other.provisionedTotal
    stopsLoops = other.stopsLoops
    setAside = other.setAside
    managedLimit = other.managedLimit
  }

  var isDebugged: Bool { configuration.debugging != nil }

  /// The same with other code.
  func running(_ configuration: FunctionConfiguration) -> Resolved { Resolved(self, configuration, reserved: reserved) }

  /// One invocation at a time: whoever looks at a function at a breakpoint looks at one.
  func debugged(in session: DebugSession) -> Resolved {
    guard configuration.version == .latest else { return self }
    return Resolved(self, session.debugged(configuration), reserved: provisionedTotal + 1)
  }
}

extension Line {
  /// What is known to run at once; nil: it is to be resolved.
  func known(_ reference: FunctionReference) -> Resolved? {
    known.find(reference, in: functions.generation)
  }

  /// Waits for a function that is being created, as AWS does for synchronous callers.
  /// - Throws: 404 for an unknown function or qualifier; 409 if the function failed to become active.
  func resolve(_ reference: FunctionReference, in functions: FunctionTable) async throws(AWSError) -> Resolved {
    let generation = functions.generation
    let (record, version, configuration) = try find(reference, in: functions)
    let setAside = functions.figures(reference.key.place).setAside
    if configuration.state == .active {
      let resolved = Resolved(configuration, record, setAside: setAside)
      // What an alias means may be decided anew each time.
      let isFixed = reference.qualifier.flatMap { record.aliases[$0] }?.additional == nil
      if isFixed { known.note(resolved, of: reference, in: generation) }
      return resolved
    }
    if configuration.state == .pending, configuration.isSnapStarted { throw .snapStartNotReady() }
    await functions.wait(for: reference.key) { $0?.invocable(version)?.state != .pending }
    guard let record = functions.find(reference.key), let settled = record.invocable(version) else {
      throw .functionNotFound(reference.arn)
    }
    guard settled.state == .active else { throw .functionState(settled.state) }
    return Resolved(settled, record, setAside: setAside)
  }

  /// What is there now, whether or not it can run yet.
  /// - Throws: 404 for an unknown function or qualifier.
  @discardableResult
  func find(
    _ reference: FunctionReference, in functions: FunctionTable
  ) throws(AWSError) -> (record: FunctionRecord, version: VersionName, configuration: FunctionConfiguration) {
    guard let record = functions.find(reference.key), let version = version(reference.qualifier, of: record) else {
      // Whoever invokes means a version, if only $LATEST; the text says so.
      throw .functionNotFound(reference.qualifier == nil ? "\(reference.arn):$LATEST" : reference.arn)
    }
    guard let configuration = record.invocable(version) else {
      throw version == .latestPublished ? .noPublishedVersion(reference.arn) : .functionNotFound(reference.arn)
    }
    if !configuration.kept.isEmpty, let setting = configuration.preventsInvocation {
      throw .notImplemented("Invoke of a function with \(setting)")
    }
    return (record, version, configuration)
  }

  /// An alias with two versions decides anew for each invocation.
  private func version(_ qualifier: String?, of record: FunctionRecord) -> VersionName? {
    guard let qualifier else { return .latest }
    if !record.aliases.isEmpty, let alias = record.aliases[qualifier] {
      return alias.additional == nil ? alias.version : alias.draw(world.random())
    }
    return VersionName(qualifier)
  }
}
