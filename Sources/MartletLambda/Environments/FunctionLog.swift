// What an environment logs, on its way to the log stream: gathered here, handed over in batches. Lives on the
// environment's event loop; the hot path only appends to a buffer.
import MartletCore
import MartletWire
import NIOCore

final class FunctionLog {
  private let sink: any LogSink
  private let name: LogStreamName
  private let eventLoop: any EventLoop
  private let world: any World
  private var batch = LogBatch()
  private var hasTimer = false
  /// What the sink refused, until it was told.
  private(set) var lost = TelemetryBuffer.Loss()
  /// The line that tells of a loss.
  private let describe: (TelemetryBuffer.Loss) -> String

  /// How long a line waits for others.
  private static let patience = TimeAmount.milliseconds(100)
  private static let largestBatch = 262_144

  init(
    _ sink: any LogSink, _ name: LogStreamName, eventLoop: any EventLoop, world: any World,
    describe: @escaping (TelemetryBuffer.Loss) -> String
  ) {
    self.sink = sink
    self.name = name
    self.eventLoop = eventLoop
    self.world = world
    self.describe = describe
  }

  /// What is written next is of an invocation that is traced.
  func note(_ id: RequestID, _ trace: InvocationTrace) {
    guard sink.wantsTraces else { return }
    batch.note(.init(request: id.description, root: trace.root, span: trace.function))
  }

  /// A line that a program printed, without its end.
  func write(line: ByteBuffer) {
    batch.append(line: line, withEnd: true, at: world.now().milliseconds)
    wrote()
  }

  /// Something that the platform says, with its end.
  func write(_ text: String) {
    batch.append(text, at: world.now().milliseconds)
    wrote()
  }

  private func wrote() {
    if batch.size >= FunctionLog.largestBatch { return flush() }
    guard !hasTimer else { return }
    hasTimer = true
    eventLoop.assumeIsolated().scheduleTask(in: FunctionLog.patience) { [weak self] in
      self?.hasTimer = false
      self?.flush()
    }
  }

  /// Hands over what there is.
  func flush() {
    guard !batch.isEmpty else { return }
    let full = batch
    batch = LogBatch()
    if lost.records > 0 {
      var told = LogBatch()
      told.append(describe(lost), at: world.now().milliseconds)
      if sink.write(told, to: name) { lost = TelemetryBuffer.Loss() }
    }
    if !sink.write(full, to: name) {
      lost.records += full.count
      lost.bytes += full.size
    }
  }
}
