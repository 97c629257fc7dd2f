// Where the platform puts what it knows of traced invocations, and asks which of them to trace.
import MartletCore
import NIOCore

/// Takes segments for X-Ray.
package protocol TraceSink: Sendable {
  /// True if a request to a service is to be traced that nobody has decided about yet: the sampling rules say so.
  /// Never waits; from any thread.
  /// - Parameter type: such as `AWS::Lambda`.
  func samples(_ service: String, type: String, arn: String, in place: Place) -> Bool
  /// Takes something to be written later, or drops and counts it because too much waits. Never waits; from any thread.
  func take(_ parcel: TraceParcel)
  /// Answers what the X-Ray daemon answers on its TCP port: the operations that SDKs ask it for.
  func daemon(_ request: HTTPRequest, in place: Place) async -> HTTPReply
}

/// Segments on their way. Those of the platform are made into documents when they are written, not before.
package struct TraceParcel: Sendable {
  package enum Content: Sendable {
    case later(@Sendable () -> [JSONValue])
    /// What a program sent to the daemon's UDP port.
    case datagram(ByteBuffer)
  }

  /// The execution environment that something was sent from, by its log stream.
  package struct Source: Sendable, Hashable {
    package let group: String
    package let stream: String

    package init(group: String, stream: String) {
      self.group = group
      self.stream = stream
    }
  }

  package let place: Place
  package let content: Content
  /// About how many bytes it keeps in memory.
  package let size: Int
  /// nil for what the platform says itself.
  package let source: Source?

  package init(place: Place, size: Int, from source: Source? = nil, _ content: Content) {
    self.place = place
    self.size = size
    self.source = source
    self.content = content
  }
}
