// Export tasks: one loop writes the events of one task after the other into buckets. One that a crash broke off begins
// again, so that its files are whole.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

extension LogsService {
  /// Bytes of the texts of one file.
  private static let exportFile = 4 << 20

  /// Runs tasks, those of the server before this one first, until `stop`.
  func runExports() async {
    for await _ in exports.pokes {
      while let task = nextExport {
        await run(task)
        if exports.isOver { return }
      }
    }
  }

  private var nextExport: ExportTask? {
    exportTasks.all.filter { !$0.status.isOver }.min { ($0.created, $0.key.name) < ($1.created, $1.key.name) }
  }

  /// Accepts a task; it is on disk when this returns.
  func add(_ task: ExportTask) async throws(AWSError) {
    let probe = S3.PutObject.Input(
      bucket: task.order.bucket, key: "\(ExportTask.folder(task.order.prefix))/aws-logs-write-test",
      body: ByteBuffer(string: "Permission Check Successful"), type: "text/plain")
    do throws(AWSError) {
      _ = try await door.call(S3.PutObject.self, probe, call(task))
    } catch {
      throw .logsExportBucket(task.order.bucket, error)
    }
    try await exportTasks.change(task.key) { record throws(AWSError) in
      guard !self.exportTasks.newest(in: task.key.place).contains(where: { !$0.status.isOver }) else {
        throw .logsLimit("Resource limit exceeded.")
      }
      record = task
    }
    let over = exportTasks.list(task.key.place).filter(\.status.isOver).sorted { $0.created > $1.created }
    for old in over.dropFirst(ExportTask.most) { try await exportTasks.change(old.key) { $0 = nil } }
    // Moves of the clock wait until it is over.
    alarms.begin()
    exports.begun.withLock { _ = $0.insert(task.key.name) }
    exports.wake()
  }

  private func call(_ task: ExportTask) -> Call {
    Call(
      requestID: RequestID(from: world), place: task.key.place, caller: .service("logs.amazonaws.com"),
      host: "localhost", traceHeader: nil)
  }

  private func run(_ task: ExportTask) async {
    defer { if exports.begun.withLock({ $0.remove(task.key.name) != nil }) { alarms.end() } }
    await change(task) { if $0.status == .pending { $0.status = .running } }
    let now = now
    do throws(AWSError) {
      let isWhole = try await write(task)
      // What is stopped now is gone on with by the next server.
      if exports.isOver { return }
      await change(task) {
        $0.end(isWhole ? .completed : .cancelled, isWhole ? "Completed successfully" : nil, at: now)
      }
    } catch {
      log.notice("an export failed", metadata: ["task": "\(task.key.name)", "why": "\(error.message)"])
      await change(task) { $0.end(.failed, error.message, at: now) }
    }
  }

  private func change(_ task: ExportTask, _ body: @escaping @Sendable (inout ExportTask) -> Void) async {
    do throws(AWSError) {
      try await exportTasks.change(task.key) { record throws(AWSError) in
        guard var found = record else { return }
        body(&found)
        record = found
      }
    } catch {
      log.error("an export task is not kept", metadata: ["task": "\(task.key.name)", "why": "\(error.message)"])
    }
  }

  /// - Returns: false if somebody does not want it any more.
  private func write(_ task: ExportTask) async throws(AWSError) -> Bool {
    let group = try group(task.order.group, task.key.place)
    let folder: LogFolder
    do throws(Fault) { folder = try self.folder(group) } catch { throw .service("\(error)") }
    let streams = folder.state.withLock { Array($0.streams.byID.values) }
    let wanted = streams.filter { task.order.streams.map($0.name.hasPrefix) ?? true }.sorted { $0.name < $1.name }
    for stream in wanted {
      var search = LogSearch()
      search.streams = [stream.id]
      search.window = window(group, from: task.order.from, to: task.order.to + 1)
      search.bytes = LogsService.exportFile
      var number = 0
      while true {
        guard !exports.isOver, exportTasks.find(task.key)?.status == .running else { return false }
        let page = search
        let found = try await searching { () throws(Fault) in folder.search(page) }
        guard let last = found.events.last else { break }
        var text = ""
        for event in found.events {
          text += "\(Timestamp(milliseconds: event.position.time).iso8601) \(event.text)"
          if !event.text.hasSuffix("\n") { text += "\n" }
        }
        let input = S3.PutObject.Input(
          bucket: task.order.bucket, key: task.objectKey(stream.name, number), body: Gzip.stored(Array(text.utf8)),
          type: "application/octet-stream")
        _ = try await door.call(S3.PutObject.self, input, call(task))
        number += 1
        if found.isComplete { break }
        search.after = last.position
      }
    }
    return true
  }
}
