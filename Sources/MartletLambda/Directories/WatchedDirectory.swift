// The directory of the host from which $LATEST of a function runs: what is edited there runs at the next invocation.
import MartletWire

package struct WatchedDirectory: Attachment {
  /// Absolute, without links.
  package let path: String

  package init(path: String) { self.path = path }

  package init?(json: JSONValue) {
    guard let path = json["Path"]?.string else { return nil }
    self.init(path: path)
  }

  package var json: JSONValue { .members(("Path", .string(path))) }
}
