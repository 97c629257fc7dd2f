// Bodies that are not whole: what comes in is handed on piece by piece, what goes out is fetched piece by piece.
// Both ways nobody is read faster than the other side takes it.
import NIOCore
import NIOHTTP1

/// Takes the body of one request as it comes. Called on the connection's event loop.
package protocol HTTPBodyReceiver: AnyObject {
  func receive(_ part: ByteBuffer)
  /// The body is complete. The answer goes to `exchange`.
  func end(trailers: HTTPHeaders, _ exchange: HTTPExchange)
  /// The peer broke off.
  func cutOff()
}

/// Lets a receiver hold up the peer.
package struct HTTPInflow: Sendable {
  private let connection: NIOLoopBound<HTTPConnection>
  private let serial: UInt64
  private let eventLoop: any EventLoop

  init(_ connection: HTTPConnection, serial: UInt64, eventLoop: any EventLoop) {
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    self.serial = serial
    self.eventLoop = eventLoop
  }

  /// No more is read for now; what was read already still comes. On the event loop.
  package func hold() { connection.value.hold(true, for: serial) }

  /// The peer is read again. From any thread.
  package func release() {
    if eventLoop.inEventLoop {
      connection.value.hold(false, for: serial)
    } else {
      eventLoop.execute { connection.value.hold(false, for: serial) }
    }
  }
}

/// Where the body of a reply comes from, if it is not known when the reply begins.
package protocol HTTPBodySource: AnyObject, Sendable {
  /// Writes what there is while `out` wants it, and at last its end. If there is nothing now, the source calls
  /// `out.wake()` when there is. Called on the connection's event loop, never from within itself.
  func pump(_ out: HTTPOutflow)
  /// The peer is gone, or wants no body. What comes is for nobody.
  func cancel()
}

/// The body of a reply on its way out.
package struct HTTPOutflow: Sendable {
  private let connection: NIOLoopBound<HTTPConnection>
  private let serial: UInt64
  private let eventLoop: any EventLoop

  init(_ connection: HTTPConnection, serial: UInt64, eventLoop: any EventLoop) {
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
    self.serial = serial
    self.eventLoop = eventLoop
  }

  /// False while the peer does not read what it has been sent, and when the body is over. On the event loop.
  package var wantsMore: Bool { connection.value.wantsMore(serial) }

  /// One piece, which may consist of several buffers. They are not copied if they are large. On the event loop.
  package func write(_ parts: ByteBuffer...) { connection.value.write(piece: parts, for: serial) }

  /// The body is complete. On the event loop.
  package func end() { connection.value.endBody(isWhole: true, for: serial) }

  /// The body ends before its end, and the peer shall notice. On the event loop.
  package func breakOff() { connection.value.endBody(isWhole: false, for: serial) }

  /// There is something to fetch. From any thread.
  package func wake() {
    if eventLoop.inEventLoop {
      connection.value.pump(serial)
    } else {
      eventLoop.execute { connection.value.pump(serial) }
    }
  }
}
