// Resources that stand for themselves beside functions and layers, and the loop that brings them to rest.
import Logging
import MartletCore
import MartletStore
import Synchronization

package final class LambdaResources: Sendable {
  package let codeSigningConfigs: Catalogue<CodeSigningConfig>
  package let eventSourceMappings: Catalogue<EventSourceMapping>
  package let capacityProviders: Catalogue<CapacityProvider>
  private let world: any World
  private let log: Logger
  private let queue: AsyncStream<Change>
  private let enqueue: AsyncStream<Change>.Continuation
  private let attendant = Mutex<(@Sendable (ResourceKey) async -> Void)?>(nil)

  /// Something that is on its way to another state.
  private enum Change: Sendable {
    case mapping(ResourceKey)
    case capacity(ResourceKey)
  }

  /// Reads everything. The database must have been migrated.
  package init(database: Database, world: any World, log: Logger) throws(Fault) {
    codeSigningConfigs = try Catalogue(database: database)
    eventSourceMappings = try Catalogue(database: database)
    capacityProviders = try Catalogue(database: database)
    self.world = world
    self.log = log
    (queue, enqueue) = AsyncStream.makeStream()
  }

  /// Lets somebody do what the new state of a mapping asks for, before the mapping comes to rest.
  func attend(_ body: @escaping @Sendable (ResourceKey) async -> Void) { attendant.withLock { $0 = body } }

  /// Asks for a mapping to be looked at. Called after every change that leaves it on its way.
  func schedule(mapping key: ResourceKey) { enqueue.yield(.mapping(key)) }

  func schedule(capacityProvider key: ResourceKey) { enqueue.yield(.capacity(key)) }

  /// The loop; what a crash left on its way is taken up first. Ends after `stop` was called and all is done.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for record in eventSourceMappings.all where record.state.isBusy { take(.mapping(record.key), &group) }
      for record in capacityProviders.all where record.state.isBusy { take(.capacity(record.key), &group) }
      for await change in queue { take(change, &group) }
    }
  }

  /// What takes its time holds up nothing else.
  private func take(_ change: Change, _ group: inout DiscardingTaskGroup) {
    group.addTask {
      if case .mapping(let key) = change, let attend = self.attendant.withLock({ $0 }) { await attend(key) }
      await self.settle(change)
    }
  }

  package func stop() { enqueue.finish() }

  private func settle(_ change: Change) async {
    let world = world
    do throws(AWSError) {
      switch change {
      case .mapping(let key):
        try await eventSourceMappings.change(key) { (after: inout EventSourceMapping?) throws(AWSError) -> Void in
          after = after?.settled(at: world.now())
        }
      case .capacity(let key):
        try await capacityProviders.change(key) { (after: inout CapacityProvider?) throws(AWSError) -> Void in
          after = after?.settled()
        }
      }
    } catch {
      log.error(
        "state not stored, trying again", metadata: ["change": "\(change)", "error": "\(error.note ?? error.message)"])
      // A full disk does not mend itself at once.
      try? await Task.sleep(for: LambdaResources.pause)
      enqueue.yield(change)
    }
  }

  private static let pause = Duration.seconds(1)
}
