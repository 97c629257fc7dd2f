// Looks, before each invocation of a function that runs from a directory, whether the directory has changed, and makes
// a tree of what it is now. An invocation that begins after an edit runs the edited code.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletWire
import NIOPosix
import Synchronization

package final class WatchedDirectories: Sendable {
  /// One function's directory. Looked at by one thread at a time.
  private final class Watch: Sendable {
    let looking = Mutex<Look?>(nil)
    /// What environments made now would run; for whoever must not wait for a look.
    let running = Mutex<(incarnation: RequestID, origin: RequestID, key: String)?>(nil)
    /// A copy of a tree in which the next edit can be made, and of which.
    let spare = Mutex<(path: String, of: String)?>(nil)

    func hasSpare(of key: String) -> Bool { spare.withLock { $0?.of == key } }

    /// The copy of that tree; others are of no use any more.
    func takeSpare(of key: String?) -> String? {
      guard let spare = spare.withLock({ $0.take() }) else { return nil }
      if spare.of == key { return spare.path }
      CodeTrees.remove(spare.path)
      return nil
    }
  }

  /// What came of the last look.
  private struct Look {
    let path: String
    let tree: DirectoryTree
    /// Of the configuration that it was made for.
    let origin: RequestID
    let incarnation: RequestID
  }

  private let packages: CodePackages
  private let limit: ByteCount
  private let world: any World
  private let threads = NIOThreadPool.singleton
  private let watches = Mutex<[FunctionKey: Watch]>([:])

  package init(packages: CodePackages, limits: LambdaLimits, world: any World) {
    self.packages = packages
    limit = limits.codeSizeUnzipped
    self.world = world
  }

  /// The configuration with the code that lies in the directory now.
  /// - Throws: 502 if the directory cannot be run, and why.
  func current(
    _ configuration: FunctionConfiguration, in directory: WatchedDirectory
  ) async throws(AWSError) -> FunctionConfiguration {
    let key = FunctionKey(place: configuration.place, name: configuration.name)
    let watch = watches.withLock { watches in
      if let watch = watches[key] { return watch }
      let watch = Watch()
      watches[key] = watch
      return watch
    }
    let origin = configuration.incarnation
    let look: Result<Look, Fault>
    do {
      look = try await threads.runIfActive {
        watch.looking.withLock { last in
          Result { () throws(Fault) in
            let look = try self.look(at: directory.path, after: last, for: origin, watch)
            last = look
            watch.running.withLock { $0 = (look.incarnation, origin, look.tree.package.key) }
            return look
          }
        }
      }
    } catch {
      throw .service("directories: \(error)")
    }
    switch look {
    case .success(let look):
      var current = configuration
      current.code = look.tree.package
      current.incarnation = look.incarnation
      return current
    case .failure(let fault): throw .directoryCannotRun(directory.path, fault)
    }
  }

  private func look(
    at path: String, after last: Look?, for origin: RequestID, _ watch: Watch
  ) throws(Fault) -> Look {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(path)", errno: errno) }
    defer { close(descriptor) }
    let before = last?.path == path ? last : nil
    let snapshot = try DirectorySnapshot(directory: descriptor, path: path, after: before?.tree.snapshot)
    if let before, before.origin == origin, before.tree.snapshot == snapshot, before.tree.snapshot.isSettled {
      return before
    }
    guard snapshot.size <= limit.bytes else {
      throw Fault(path, "its files have more than \(limit.bytes) bytes")
    }
    let tree = try DirectoryTree(
      of: snapshot, directory: descriptor, path: path, before: before?.tree,
      spare: { watch.takeSpare(of: before?.tree.package.key) }, in: packages.trees)
    if snapshot.entries.count >= WatchedDirectories.worthASpare, !watch.hasSpare(of: tree.package.key) {
      makeSpare(of: tree, for: watch)
    }
    let isSame = before.map { $0.origin == origin && $0.tree.package.key == tree.package.key } ?? false
    return Look(
      path: path, tree: tree, origin: origin,
      incarnation: isSame ? before?.incarnation ?? origin : RequestID(from: world))
  }

  /// The links of fewer files are made as fast as the next edit needs them.
  private static let worthASpare = 100

  /// Prepares for the next edit while nobody waits.
  private func makeSpare(of tree: DirectoryTree, for watch: Watch) {
    let trees = packages.trees
    threads.submit { _ in
      guard let path = tree.spare(in: trees) else { return }
      let before = watch.spare.withLock { spare in
        defer { spare = (path, tree.package.key) }
        return spare
      }
      if let before { CodeTrees.remove(before.path) }
    }
  }

  /// True if the version is what its function would run now, as far as was looked.
  /// - Parameter latest: the function's configuration as it is stored.
  package func isCurrent(_ version: FunctionConfiguration, _ latest: FunctionConfiguration) -> Bool {
    let key = FunctionKey(place: version.place, name: version.name)
    guard let watch = watches.withLock({ $0[key] }) else { return false }
    return watch.running.withLock { $0?.incarnation == version.incarnation && $0?.origin == latest.incarnation }
  }

  /// Forgets functions that do not run from a directory any more.
  package func keep(_ isWatched: (FunctionKey) -> Bool) {
    let forgotten = watches.withLock { watches in
      guard !watches.isEmpty else { return [] as [Watch] }
      let forgotten = watches.filter { !isWatched($0.key) }
      for key in forgotten.keys { watches[key] = nil }
      return Array(forgotten.values)
    }
    for watch in forgotten { _ = watch.takeSpare(of: nil) }
  }

  /// The trees that the next invocations may run.
  package var packagesInUse: Set<String> {
    Set(
      watches.withLock { Array($0.values) }.flatMap { watch in
        let spare = watch.spare.withLock { $0?.path.split(separator: "/").last.map(String.init) }
        return [watch.running.withLock { $0?.key }, spare].compactMap { $0 }
      })
  }
}

extension AWSError {
  /// As AWS tells of a package that it cannot unpack when a function is invoked.
  static func directoryCannotRun(_ path: String, _ fault: Fault) -> AWSError {
    AWSError(
      "InvalidZipFileException", status: 502, "The directory \(path) cannot be run: \(fault)", messageKey: .upper)
  }
}
