// Brings functions from Pending to Active, and updates from InProgress to Successful, once their code is ready to run.
import Logging
import MartletCore

package final class FunctionActivation: Sendable {
  private let functions: FunctionTable
  private let packages: CodePackages
  private let world: any World
  private let log: Logger
  private let queue: AsyncStream<FunctionKey>
  private let enqueue: AsyncStream<FunctionKey>.Continuation

  package init(functions: FunctionTable, packages: CodePackages, world: any World, log: Logger) {
    self.functions = functions
    self.packages = packages
    self.world = world
    self.log = log
    (queue, enqueue) = AsyncStream.makeStream()
  }

  /// Asks for the function to be looked at. Called after every change that leaves something pending.
  package func schedule(_ key: FunctionKey) { enqueue.yield(key) }

  /// The service's loop; what a crash left pending is taken up first. Ends when `stop` is called.
  package func run() async {
    var seen: Set<String> = []
    for record in functions.all {
      if FunctionActivation.isPending(record) { schedule(record.key) }
      await restoreCode(of: record, seen: &seen)
    }
    for await key in queue { await activate(key) }
  }

  /// Unpacks what was removed from under the server; looks at each package once.
  private func restoreCode(of record: FunctionRecord, seen: inout Set<String>) async {
    for stored in record.allStored where !seen.isSuperset(of: stored.packages) {
      seen.formUnion(stored.packages)
      do throws(Fault) {
        try await packages.ensureReady(stored.glance)
      } catch {
        log.error("code is lost", metadata: ["function": "\(record.key.name)", "fault": "\(error)"])
      }
    }
  }

  package func stop() { enqueue.finish() }

  /// True while anything of the function waits for this loop.
  package static func isPending(_ record: FunctionRecord) -> Bool {
    record.allStored.contains(where: \.isPending)
  }

  private func activate(_ key: FunctionKey) async {
    guard let record = functions.find(key) else { return }
    var fault: Fault?
    for configuration in record.allStored.filter(\.isPending).map(\.configuration) {
      do throws(Fault) { try await packages.ensureReady(configuration) } catch { fault = error }
    }
    if let fault { log.error("activation failed", metadata: ["function": "\(key.name)", "fault": "\(fault)"]) }
    let failure = fault.map {
      StateReason(text: "The package could not be unpacked: \($0.stage)", code: "InternalError")
    }
    let world = world
    do throws(AWSError) {
      try await functions.change(key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard var changed = after else { return }
        for stored in changed.allStored where stored.isPending {
          var configuration = stored.configuration
          FunctionActivation.settle(&configuration, failure, world)
          changed.put(configuration)
        }
        changed.serving = nil
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
