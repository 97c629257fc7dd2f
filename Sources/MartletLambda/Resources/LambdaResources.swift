// Resources that stand for themselves beside functions and layers, and the loop that brings them to rest.
import Logging
import MartletCore
import MartletStore

package final class LambdaResources: Sendable {
  package let codeSigningConfigs: Catalogue<CodeSigningConfig>
  package let eventSourceMappings: Catalogue<EventSourceMapping>
  package let capacityProviders: Catalogue<CapacityProvider>
  private let world: any World
  private let log: Logger
  private let queue: AsyncStream<Change>
  private let enqueue: AsyncStream<Change>.Continuation

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

  /// Asks for a mapping to be looked at. Called after every change that leaves it on its way.
  func schedule(mapping key: ResourceKey) { enqueue.yield(.mapping(key)) }

  func schedule(capacityProvider key: ResourceKey) { enqueue.yield(.capacity(key)) }

  /// The loop; what a crash left on its way is taken up first. Ends after `stop` was called and all is done.
  package func run() async {
    for record in eventSourceMappings.all where record.state.isBusy { await settle(mapping: record.key) }
    for record in capacityProviders.all where record.state.isBusy { await settle(capacity: record.key) }
    for await change in queue {
      switch change {
      case .mapping(let key): await settle(mapping: key)
      case .capacity(let key): await settle(capacity: key)
      }
    }
  }

  package func stop() { enqueue.finish() }

  private func settle(mapping key: ResourceKey) async {
    let world = world
    do throws(AWSError) {
      try await eventSourceMappings.change(key) { (after: inout EventSourceMapping?) throws(AWSError) -> Void in
        after = after?.settled(at: world.now())
      }
    } catch {
      report(error, key)
    }
  }

  private func settle(capacity key: ResourceKey) async {
    do throws(AWSError) {
      try await capacityProviders.change(key) { (after: inout CapacityProvider?) throws(AWSError) -> Void in
        after = after?.settled()
      }
    } catch {
      report(error, key)
    }
  }

  private func report(_ error: AWSError, _ key: ResourceKey) {
    log.error("state not stored", metadata: ["resource": "\(key.name)", "error": "\(error.note ?? error.message)"])
  }
}
