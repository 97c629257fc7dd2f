// One version of a function, read from its row only when somebody asks: a server with very many versions starts
// fast and stays small, because most of them are never looked at.
import MartletCore
import Synchronization

package final class StoredVersion: Sendable {
  private enum Content {
    case row(String)
    case read(FunctionConfiguration)
  }

  // What is asked of every version without reading it; columns of the table.

  /// The packages that the version needs, by their keys.
  package let packages: [String]
  /// Bytes of its own package.
  package let codeSize: Int
  /// The version waits for the activation.
  package let isPending: Bool

  private let place: Place
  private let content: Mutex<Content>

  package init(_ configuration: FunctionConfiguration) {
    packages = configuration.packageKeys
    codeSize = configuration.code.size
    isPending = configuration.isPending
    place = configuration.place
    content = Mutex(.read(configuration))
  }

  /// - Parameter row: what `FunctionConfiguration.record` wrote.
  init(row: String, packages: [String], codeSize: Int, isPending: Bool, place: Place) {
    self.packages = packages
    self.codeSize = codeSize
    self.isPending = isPending
    self.place = place
    content = Mutex(.row(row))
  }

  /// The version, which is remembered from now on.
  package var configuration: FunctionConfiguration {
    content.withLock { content in
      if case .read(let configuration) = content { return configuration }
      let configuration = StoredVersion.read(content, place)
      content = .read(configuration)
      return configuration
    }
  }

  /// The version for whoever looks at very many: it is not remembered.
  package var glance: FunctionConfiguration { StoredVersion.read(content.withLock { $0 }, place) }

  private static func read(_ content: Content, _ place: Place) -> FunctionConfiguration {
    switch content {
    case .read(let configuration): return configuration
    case .row(let row):
      do throws(Fault) {
        return try FunctionConfiguration(record: row, place: place)
      } catch {
        // Martlet wrote the row, and SQLite's checksums hold: there is nothing sensible to go on with.
        preconditionFailure("\(error)")
      }
    }
  }
}

extension FunctionConfiguration {
  /// True while the version waits for the activation.
  package var isPending: Bool { state == .pending || lastUpdateStatus == .inProgress }
}
