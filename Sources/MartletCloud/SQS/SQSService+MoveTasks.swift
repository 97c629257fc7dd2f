// Runs message move tasks, each as a task of its own, until it is over or the server stops.
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension SQSService {
  /// Messages that are moved in one transaction.
  private static let moveBatch = 100
  /// Tasks of a queue that are remembered.
  static let rememberedTasks = 10

  /// Runs what is started, and what was running when the server stopped. Returns after `stop`.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for task in tasks.all where !task.status.isOver { group.addTask { await self.run(task.key) } }
      for await key in started { group.addTask { await self.run(key) } }
    }
  }

  /// The tasks of a source, the newest first.
  func tasks(of source: String, in place: Place) -> [MoveTask] {
    tasks.list(place).filter { $0.source == source }.sorted { $0.started > $1.started }
  }

  func start(_ task: MoveTask) async throws(AWSError) {
    try await tasks.change(task.key) { record throws(AWSError) in
      guard !self.tasks.newest(in: task.key.place).contains(where: { $0.source == task.source && !$0.status.isOver })
      else {
        throw .sqsUnsupported(
          "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
      }
      record = task
    }
    for old in tasks(of: task.source, in: task.key.place).dropFirst(SQSService.rememberedTasks) {
      try await tasks.change(old.key) { record throws(AWSError) in record = nil }
    }
    starts.yield(task.key)
  }

  private func run(_ key: ResourceKey) async {
    // What was started while the loop began is known from both.
    guard moving.withLock({ $0.insert(key).inserted }) else { return }
    alarms.begin()
    while let task = tasks.find(key), task.status == .running, !isStopping {
      guard let line = SQS.QueueReference(arn: task.source).flatMap({ live.find($0.key(for: key.place)) }) else {
        await finish(key, moved: 0, .failed, "AWS.SimpleQueueService.NonExistentQueue")
        break
      }
      let (claimed, isBusy) = line.claim(task.rate ?? SQSService.moveBatch)
      if claimed.isEmpty, !isBusy {
        await finish(key, moved: 0, .completed, nil)
        break
      }
      let outcome = claimed.isEmpty ? MoveOutcome() : await move(claimed, from: line, task)
      if let failure = outcome.failure {
        await finish(key, moved: outcome.moved, .failed, failure)
        break
      }
      await finish(key, moved: outcome.moved, .running, nil)
      if task.rate != nil {
        await pause(1000)
      } else if claimed.isEmpty {
        await pause(20)
      }
    }
    if tasks.find(key)?.status == .cancelling { await finish(key, moved: 0, .cancelled, nil) }
    alarms.end()
  }

  /// Waits by the clock of the world; whoever moves that does not wait for it.
  private func pause(_ milliseconds: Int64) async {
    await withCheckedContinuation { continuation in
      alarms.set(at: world.now() + .milliseconds(milliseconds)) {
        self.alarms.begin()
        continuation.resume()
      }
      alarms.end()
    }
  }

  private func finish(_ key: ResourceKey, moved: Int, _ status: MoveTask.Status, _ failure: String?) async {
    do throws(AWSError) {
      try await tasks.change(key) { record throws(AWSError) in
        record?.moved += moved
        // A wish to cancel stays, unless it is over anyway.
        if record?.status == .running || status.isOver { record?.status = status }
        record?.failure = failure
      }
    } catch {
      log.error("a message move task cannot be kept", metadata: ["task": "\(key.name)", "note": "\(error)"])
    }
  }

  struct MoveOutcome: Sendable {
    var moved = 0
    var failure: String?
  }

  private func move(_ claimed: [Int64], from line: LiveQueue, _ task: MoveTask) async -> MoveOutcome {
    let fixed = task.destination.flatMap { SQS.QueueReference(arn: $0) }.map { $0.key(for: task.key.place) }
    return await withCheckedContinuation { continuation in
      move(claimed, from: line, isRedrive: true) { message in
        fixed ?? message.source.flatMap { SQS.QueueReference(arn: $0) }.map { $0.key(for: task.key.place) }
      } ended: { moved in
        continuation.resume(
          returning: MoveOutcome(moved: moved, failure: moved < claimed.count ? "CouldNotDetermineMessageSource" : nil))
      }
    }
  }
}
