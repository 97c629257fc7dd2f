// Keeps the environments that provisioned concurrency asks for: starts them, replaces the dead, moves with aliases.
// The decisions are ProvisionedLevel.swift's.
import Logging
import MartletCore
import Synchronization

package final class ProvisionedConcurrency: Sendable {
  private struct Target: Hashable {
    let function: FunctionKey
    let qualifier: String
  }

  private struct Entry {
    var level: ProvisionedLevel<Environment>
    var version: FunctionConfiguration
    /// Seconds until what has failed is tried again.
    var pause = 0
  }

  private let functions: FunctionTable
  private let placement: Placement
  private let log: Logger
  private let entries = Mutex<[Target: Entry]>([:])
  private let queue: AsyncStream<FunctionKey>
  private let enqueue: AsyncStream<FunctionKey>.Continuation
  /// Environments of one qualifier that initialise at the same time.
  private static let atOnce = 8

  package init(functions: FunctionTable, placement: Placement, log: Logger) {
    self.functions = functions
    self.placement = placement
    self.log = log
    (queue, enqueue) = AsyncStream.makeStream()
    functions.observe { [enqueue] before, after in
      if before?.provisioned.isEmpty == false || after?.provisioned.isEmpty == false {
        if let key = (after ?? before)?.key { enqueue.yield(key) }
      }
    }
  }

  /// The service's loop: what is configured is provisioned again after a restart. Ends when `stop` is called.
  package func run() async {
    for record in functions.all where !record.provisioned.isEmpty { enqueue.yield(record.key) }
    for await key in queue { reconcile(key) }
  }

  package func stop() { enqueue.finish() }

  /// How far a qualifier's level is: nil while nothing has begun of what is configured now. So a status never tells of
  /// the version or the number that was asked for before.
  package func state(_ record: FunctionRecord, _ qualifier: String) -> (
    available: Int, allocated: Int, status: String, reason: String?
  )? {
    guard let entry = entries.withLock({ $0[Target(function: record.key, qualifier: qualifier)] }),
      entry.version.incarnation == record.provisionedVersion(qualifier)?.incarnation
    else { return nil }
    let level = entry.level
    guard level.requested == record.provisioned[qualifier]?.requested else {
      return (level.available, level.allocated, ProvisionedLevel<Environment>.Status.inProgress.rawValue, nil)
    }
    return (level.available, level.allocated, level.status.rawValue, level.statusReason)
  }

  /// Brings the levels of one function to what is configured.
  private func reconcile(_ key: FunctionKey) {
    let record = functions.find(key)
    let wanted = record?.provisioned ?? [:]
    let gone = entries.withLock { $0.keys.filter { $0.function == key && wanted[$0.qualifier] == nil } }
    for target in gone {
      let released = entries.withLock { entries in
        var entry = entries.removeValue(forKey: target)
        return entry?.level.end() ?? []
      }
      for environment in released { placement.release(environment) }
    }
    for (qualifier, config) in wanted {
      guard let version = record?.provisionedVersion(qualifier), version.state == .active else { continue }
      adjust(Target(function: key, qualifier: qualifier), to: config.requested, of: version)
    }
  }

  private func adjust(_ target: Target, to requested: Int, of version: FunctionConfiguration) {
    let actions = entries.withLock { entries -> ProvisionedLevel<Environment>.Actions in
      guard var entry = entries[target] else {
        var level = ProvisionedLevel<Environment>(requested: requested, atOnce: ProvisionedConcurrency.atOnce)
        let actions = level.request(requested)
        entries[target] = Entry(level: level, version: version)
        return actions
      }
      var actions = ProvisionedLevel<Environment>.Actions()
      if entry.version.incarnation != version.incarnation {
        actions = entry.level.changeVersion()
        entry.version = version
      }
      if entry.level.requested != requested || entry.level.status == .failed {
        let more = entry.level.request(requested)
        actions = .init(start: more.start, release: actions.release + more.release)
      }
      entries[target] = entry
      return actions
    }
    perform(actions, target)
  }

  /// Tries again what has failed, after 2, 4, 8 … seconds, at most five minutes. To be called once a second.
  package func tick() {
    let due = entries.withLock { entries -> [(Target, ProvisionedLevel<Environment>.Actions)] in
      entries.keys.compactMap { target in
        guard var entry = entries[target], entry.level.failures > 0 else { return nil }
        defer { entries[target] = entry }
        entry.pause -= 1
        guard entry.pause < 0 else { return nil }
        entry.pause = min(300, 1 << min(entry.level.failures, 9))
        return (target, entry.level.retry())
      }
    }
    for (target, actions) in due { perform(actions, target) }
  }

  private func perform(_ actions: ProvisionedLevel<Environment>.Actions, _ target: Target) {
    for environment in actions.release { placement.release(environment) }
    for _ in 0..<max(0, actions.start) { start(target) }
  }

  private func start(_ target: Target) {
    guard let version = entries.withLock({ $0[target]?.version }) else { return }
    guard placement.hasCode(of: version) else { return startWithCode(of: version, target) }
    do throws(AWSError) {
      let environment = try placement.provision(version) { [weak self] environment, fate in
        self?.hear(of: environment, fate, target)
      }
      entries.withLock { $0[target]?.level.started(environment) }
      environment.start()
    } catch {
      refused(error, target)
    }
  }

  /// Meanwhile another version may be the one to provision.
  private func startWithCode(of version: FunctionConfiguration, _ target: Target) {
    Task {
      do throws(AWSError) {
        try await placement.seeToCode(of: version)
        start(target)
      } catch {
        refused(error, target)
      }
    }
  }

  private func refused(_ error: AWSError, _ target: Target) {
    log.warning(
      "provisioned concurrency: no environment",
      metadata: ["function": "\(target.function.name)", "reason": "\(error.message)"])
    entries.withLock { $0[target]?.level.refused(error.note ?? error.message) }
  }

  private func hear(of environment: Environment, _ fate: Environment.Fate, _ target: Target) {
    let actions = entries.withLock { entries -> ProvisionedLevel<Environment>.Actions in
      guard var entry = entries.removeValue(forKey: target) else { return .init(start: 0, release: [environment]) }
      let actions =
        switch fate {
        case .initialised: entry.level.initialised(environment)
        case .gone: entry.level.gone(environment)
        }
      entries[target] = entry
      return actions
    }
    perform(actions, target)
  }
}
