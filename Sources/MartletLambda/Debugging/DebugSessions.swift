// Which functions are under a debugger now. Nothing of it is kept over a restart.
import MartletCore
import NIOCore
import Synchronization

package final class DebugSessions: Sendable {
  private let sessions = Mutex<[FunctionKey: DebugSession]>([:])
  /// So that invocations look for a session only if there is one at all.
  private let count = Atomic<Int>(0)
  private let world: any World
  private let group: any EventLoopGroup
  private let placement: Placement

  package init(world: any World, group: any EventLoopGroup, placement: Placement) {
    self.world = world
    self.placement = placement
    self.group = group
  }

  func find(_ key: FunctionKey) -> DebugSession? {
    guard count.load(ordering: .relaxed) > 0 else { return nil }
    return sessions.withLock { $0[key] }
  }

  /// Begins a session, in the place of one that the function has.
  /// - Returns: the port on loopback.
  func begin(_ key: FunctionKey, port: Int) async throws(AWSError) -> Int {
    end(key)
    let session = DebugSession(key, world: world)
    let bound: Int
    do { bound = try await session.listen(port: port, group: group) } catch {
      throw .invalidParameter("The port \(port) cannot be listened on: \(error)")
    }
    let former = sessions.withLock { sessions in
      defer { count.store(sessions.count, ordering: .relaxed) }
      return sessions.updateValue(session, forKey: key)
    }
    if let former { end(former) }
    return bound
  }

  /// False if there was none.
  @discardableResult
  func end(_ key: FunctionKey) -> Bool {
    let session = sessions.withLock { sessions in
      defer { count.store(sessions.count, ordering: .relaxed) }
      return sessions.removeValue(forKey: key)
    }
    if let session { end(session) }
    return session != nil
  }

  /// What waits at a breakpoint waits for nobody any more.
  private func end(_ session: DebugSession) {
    session.close()
    placement.removeEnvironments(of: session)
  }

  /// So that a server that stops need not wait for people.
  package func endAll() { for key in sessions.withLock({ Array($0.keys) }) { end(key) } }

  /// For environments of a session: whether they are still wanted. nil for all others.
  package func isCurrent(_ version: FunctionConfiguration) -> Bool? {
    guard let session = version.debugging else { return nil }
    return find(session.key) === session && session.runs(version.incarnation)
  }
}
