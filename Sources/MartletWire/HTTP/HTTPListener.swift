// A server's listening socket with the connections that came in on it, so that they can be brought to a good end.
import NIOCore
import Synchronization

package struct HTTPListener: Sendable {
  private let channel: any Channel
  private let connections: HTTPConnections

  init(channel: any Channel, connections: HTTPConnections) {
    self.channel = channel
    self.connections = connections
  }

  package var port: Int? { channel.localAddress?.port }

  /// Accepts no more. Connections without a request are closed; the others are told to close after their answer.
  package func close() async {
    try? await channel.close()
    for connection in connections.all { connection.pipeline.fireUserInboundEventTriggered(HTTPQuiescence.begin) }
  }

  /// Returns when the last answer has been sent and the last connection closed, or the time is over.
  package func drained(within limit: TimeAmount) async {
    let open = connections.all
    guard let eventLoop = open.first?.eventLoop else { return }
    let all = EventLoopFuture.andAllComplete(open.map(\.closeFuture), on: eventLoop)
    let timeout = eventLoop.scheduleTask(in: limit) {
      for connection in open { connection.close(promise: nil) }
    }
    try? await all.get()
    timeout.cancel()
  }
}

/// Tells a connection that it shall not outlive its answer.
enum HTTPQuiescence { case begin }

/// The open connections of a listener.
final class HTTPConnections: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  func add(_ channel: any Channel) {
    let key = ObjectIdentifier(channel)
    channels.withLock { $0[key] = channel }
    channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[key] = nil } }
  }

  var all: [any Channel] { channels.withLock { Array($0.values) } }
}
