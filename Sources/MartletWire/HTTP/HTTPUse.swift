// What the peers of one listener hold of the server at the moment. Lives on the listener's event loop.
import MartletCore

package final class HTTPUse {
  private let limits: HTTPServer.Limits
  var connections = 0
  private var bodies = 0

  init(_ limits: HTTPServer.Limits) { self.limits = limits }

  func addConnection() -> Bool {
    guard connections < limits.connections else { return false }
    connections += 1
    return true
  }

  /// Takes room for `count` more bytes of a body; false if there is none.
  func take(_ count: Int) -> Bool {
    guard bodies + count <= limits.bodies.bytes else { return false }
    bodies += count
    return true
  }

  func give(_ count: Int) { bodies -= count }
}
