// Where the platform puts the lines of functions: batches of log events that are handed over without waiting.
import MartletCore
import NIOCore

/// Names a log stream.
package struct LogStreamName: Hashable, Sendable {
  package let place: Place
  package let group: String
  package let stream: String

  package init(place: Place, group: String, stream: String) {
    self.place = place
    self.group = group
    self.stream = stream
  }
}

/// Takes the log events of functions.
package protocol LogSink: Sendable {
  /// Takes a batch, or refuses it because too much waits to be written. Never waits; from any thread.
  func write(_ batch: LogBatch, to stream: LogStreamName) -> Bool
  /// True if somebody wants to know which invocations are traced.
  var wantsTraces: Bool { get }
}

extension LogSink {
  package var wantsTraces: Bool { false }
}

/// Log events of one stream, in the form in which they are kept.
package struct LogBatch: Sendable {
  /// An invocation that is traced; its lines come after this.
  package struct TraceMark: Sendable, Equatable {
    /// The id of the invocation.
    package let request: String
    /// `1-…`
    package let root: String
    /// The segment of the function.
    package let span: String

    package init(request: String, root: String, span: String) {
      self.request = request
      self.root = root
      self.span = span
    }
  }

  /// Of the invocations whose lines are in this batch or in later ones.
  package private(set) var traces: [TraceMark] = []
  /// A record for each event: its time (milliseconds since 1970), its length in bytes, its text.
  package private(set) var records = ByteBuffer()
  package private(set) var count = 0
  /// The earliest and the latest time of an event; meaningless without events.
  package private(set) var oldest = Int64.max
  package private(set) var newest = Int64.min

  /// Bytes in front of the text of a record.
  package static let recordHead = 12

  package init() {}

  package var isEmpty: Bool { count == 0 }
  package var size: Int { records.readableBytes }

  package mutating func note(_ mark: TraceMark) { traces.append(mark) }

  private mutating func open(_ time: Int64, length: Int) {
    records.writeInteger(time, endianness: .little)
    records.writeInteger(UInt32(length), endianness: .little)
    count += 1
    oldest = min(oldest, time)
    newest = max(newest, time)
  }

  package mutating func append(_ text: ByteBuffer, at time: Int64) {
    open(time, length: text.readableBytes)
    records.writeImmutableBuffer(text)
  }

  package mutating func append(_ text: String, at time: Int64) {
    open(time, length: text.utf8.count)
    records.writeString(text)
  }

  /// A line of a program: carriage returns, which stand between the lines of one message, become line ends.
  /// - Parameter withEnd: a line end is added.
  package mutating func append(line: ByteBuffer, withEnd: Bool, at time: Int64) {
    var view = line.readableBytesView
    if view.last == 13 { view = view.dropLast() }
    open(time, length: view.count + (withEnd ? 1 : 0))
    if view.contains(13) {
      records.writeBytes(view.map { $0 == 13 ? 10 : $0 })
    } else {
      records.writeBytes(view)
    }
    if withEnd { records.writeInteger(UInt8(10)) }
  }
}
