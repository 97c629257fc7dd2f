// Brings functions from Pending to Active, and updates from InProgress to Successful, once their code is ready to run.
import Logging
import MartletCore
import Synchronization

package final class FunctionActivation: Sendable {
  private let functions: FunctionTable
  private let packages: CodePackages
  private let preparations: [any Preparation]
  private let world: any World
  private let log: Logger
  /// Told of every function that is ready to run.
  private let prepare: @Sendable (FunctionConfiguration) -> Void
  /// Initialises a version with SnapStart once, and says what has failed; nil: nobody looks.
  private let tryOut: (@Sendable (FunctionConfiguration) async -> StateReason?)?
  /// The versions for which that is under way.
  private let beingTried = Mutex<Set<RequestID>>([])
  private let queue: AsyncStream<FunctionKey>
  private let enqueue: AsyncStream<FunctionKey>.Continuation

  package init(
    functions: FunctionTable, packages: CodePackages, preparations: [any Preparation] = [], world: any World,
    log: Logger,
    prepare: @escaping @Sendable (FunctionConfiguration) -> Void = { _ in },
    tryOut: (@Sendable (FunctionConfiguration) async -> StateReason?)? = nil
  ) {
    self.prepare = prepare
    self.tryOut = tryOut
    self.functions = functions
    self.packages = packages
    self.preparations = preparations
    self.world = world
    self.log = log
    (queue, enqueue) = AsyncStream.makeStream()
  }

  /// Asks for the function to be looked at. Called after every change that leaves something pending.
  package func schedule(_ key: FunctionKey) { enqueue.yield(key) }

  /// Called for each version that is published and has nothing pending.
  package func published(_ version: FunctionConfiguration) {
    for preparation in preparations { preparation.published(version) }
  }

  /// The service's loop; what a crash left pending is taken up first. Ends when `stop` is called.
  package func run() async {
    var seen: Set<String> = []
    for record in functions.all {
      if FunctionActivation.isPending(record) { schedule(record.key) } else { prepare(record.latest) }
      await restoreCode(of: record, seen: &seen)
    }
    await withDiscardingTaskGroup { fetching in
      // Functions of a server before this one, or of another interpreter.
      fetching.addTask { for record in self.functions.all { await self.prepareStarts(record.latest) } }
      for await key in queue {
        // An image may take minutes, and so may a large package: nobody else waits for it.
        if let record = functions.find(key), takesLong(record) {
          fetching.addTask { await self.activate(key) }
        } else {
          await activate(key)
        }
      }
    }
  }

  /// What a version waits for that is pending, as sentences.
  package func progress(of c: FunctionConfiguration) -> [String] { preparations.compactMap { $0.progress(of: c) } }

  private func prepareStarts(_ c: FunctionConfiguration) async {
    for preparation in preparations { await preparation.prepare(c) }
  }

  private func takesLong(_ record: FunctionRecord) -> Bool {
    if record.latest.image != nil || preparations.contains(where: { $0.isWanted(record.latest) }) { return true }
    return record.allStored.contains { $0.isPending && $0.configuration.isSnapStarted }
  }

  /// Unpacks what was removed from under the server; looks at each package once.
  private func restoreCode(of record: FunctionRecord, seen: inout Set<String>) async {
    for stored in record.allStored where !seen.isSuperset(of: stored.packages) {
      seen.formUnion(stored.packages)
      let configuration = stored.glance
      if let image = configuration.image {
        if configuration.runsImage, !configuration.isPending, !packages.images.contains(image) { schedule(record.key) }
        continue
      }
      do throws(Fault) {
        try await packages.ensureReady(configuration)
      } catch {
        log.error("code is lost", metadata: ["function": "\(record.key.name)", "fault": "\(error)"])
      }
    }
  }

  package func stop() {
    enqueue.finish()
    for preparation in preparations { preparation.stop() }
    packages.images.stop()
  }

  /// True while anything of the function waits for this loop.
  package static func isPending(_ record: FunctionRecord) -> Bool {
    record.allStored.contains(where: \.isPending)
  }

  private func activate(_ key: FunctionKey) async {
    guard let record = functions.find(key) else { return }
    // What came of the versions that were looked at. Others, that came meanwhile, have a turn of their own.
    var (ready, failed): (Set<RequestID>, [RequestID: StateReason]) = ([], [:])
    var untried: [FunctionConfiguration] = []
    for configuration in record.allStored.map(\.configuration) {
      do throws(ImageFailure) {
        if let image = configuration.image, configuration.runsImage || configuration.isPending {
          try await packages.images.ensure(image)
        } else if configuration.isPending {
          do throws(Fault) { try await packages.ensureReady(configuration) } catch {
            log.error("activation failed", metadata: ["function": "\(key.name)", "fault": "\(error)"])
            throw .inside("The package could not be unpacked: \(error.stage)")
          }
          await prepareStarts(configuration)
        }
        if tryOut != nil, configuration.isPending, configuration.isSnapStarted {
          untried.append(configuration)
        } else {
          ready.insert(configuration.incarnation)
        }
        prepare(configuration)
      } catch {
        guard case .reason(let reason) = error else { return }  // The next server takes it up again.
        failed[configuration.incarnation] = reason
        log.warning(
          "a function has no code", metadata: ["function": "\(key.name)", "reason": "\(reason.code): \(reason.text)"])
      }
    }
    await settle(key, ready, failed)
    for configuration in untried { await take(configuration, of: key) }
  }

  /// Brings a version with SnapStart to where its snapshot is taken, once.
  private func take(_ configuration: FunctionConfiguration, of key: FunctionKey) async {
    let incarnation = configuration.incarnation
    guard let tryOut, beingTried.withLock({ $0.insert(incarnation).inserted }) else { return }
    defer { _ = beingTried.withLock { $0.remove(incarnation) } }
    // Somebody else may have been here since the record was read.
    guard functions.find(key)?.configuration(configuration.version)?.isPending == true else { return }
    if let reason = await tryOut(configuration) {
      log.notice(
        "a version does not initialise",
        metadata: ["function": "\(key.name)", "version": "\(configuration.version)", "reason": "\(reason.text)"])
      await settle(key, [], [incarnation: reason])
    } else {
      await settle(key, [incarnation], [:])
    }
  }

  private func settle(_ key: FunctionKey, _ ready: Set<RequestID>, _ failed: [RequestID: StateReason]) async {
    let world = world
    do throws(AWSError) {
      try await functions.change(key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard var changed = after else { return }
        for stored in changed.allStored where stored.isPending {
          var configuration = stored.configuration
          let failure = failed[configuration.incarnation]
          guard failure != nil || ready.contains(configuration.incarnation) else { continue }
          let isUpdate = configuration.state == .active
          FunctionActivation.settle(&configuration, failure, world)
          changed.put(configuration)
          // After a failed update what ran before goes on running.
          if configuration.version == .latest, !(isUpdate && failure != nil) { changed.serving = nil }
        }
        after = changed
      }
    } catch {
      log.error(
        "activation not stored", metadata: ["function": "\(key.name)", "error": "\(error.note ?? error.message)"])
    }
  }

  private static func settle(_ configuration: inout FunctionConfiguration, _ failure: StateReason?, _ world: any World)
  {
    guard configuration.isPending else { return }
    if configuration.state == .pending {
      configuration.state = failure == nil ? .active : .failed
      configuration.stateReason = failure
    }
    configuration.lastUpdateStatus = failure == nil ? .successful : .failed
    configuration.lastUpdateReason = failure
    configuration.revisionID = RequestID(from: world)
  }
}

extension FunctionConfiguration {
  /// False if the image could not be had: only another update asks for it again.
  fileprivate var runsImage: Bool { state == .active && lastUpdateStatus != .failed }
}
