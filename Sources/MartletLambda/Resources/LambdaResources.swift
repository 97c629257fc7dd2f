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
    for record in eventSourceMappings.all where record.state.isBusy { await settle(.mapping(record.key)) }
    for record in capacityProviders.all where record.state.isBusy { await settle(.capacity(record.key)) }
    for await change in queue { await settle(change) }
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
