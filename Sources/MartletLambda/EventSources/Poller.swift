// Polls the queue of one mapping: the shell around Poller+StateMachine.swift. It lives from when the mapping is enabled
// until it is disabled, and ends when nothing is under way any more. See docs/event-source-mappings.md.
import Logging
import MartletCore
import MartletWire
import NIOCore
import Synchronization

package final class Poller: Sendable {
  typealias Machine = PollerStateMachine<QueueRecord>

  /// What has happened to messages since the poller began, in AWS's words (MetricsConfig EventCount) and ours.
  package struct Counts: Sendable, Equatable {
    package var polled = 0
    package var filteredOut = 0
    package var invoked = 0
    package var failedInvoke = 0
    package var deleted = 0
    /// Batches for which there was no room.
    package var throttles = 0
    package var invocations = 0
  }

  /// What pollers share.
  struct Parts: Sendable {
    let functions: FunctionTable
    let line: any FunctionRunner
    let door: Door
    let alarms: Alarms
    let log: Logger
  }

  fileprivate struct State {
    var machine: Machine
    var setup: PollerSetup
    var counts = Counts()
    var alarm: (alarm: Alarms.Alarm, due: Int64)?
    /// What keeps it from working, for people.
    var problem: String?
  }

  /// Something to do, which moves of the clock wait for.
  private struct Order: Sendable {
    let action: Machine.Action
    let work: Alarms.Work
  }

  private let parts: Parts
  private let state: Mutex<State>
  private let orders: AsyncStream<Order>
  private let enqueue: AsyncStream<Order>.Continuation

  init(_ setup: PollerSetup, _ parts: Parts) {
    self.parts = parts
    (orders, enqueue) = AsyncStream.makeStream()
    state = Mutex(State(machine: Machine(setup.settings, now: parts.alarms.world.now().milliseconds), setup: setup))
    if parts.functions.find(setup.function.key) == nil {
      state.withLock { $0.hold(Poller.functionMissing) }
    }
  }

  package var counts: Counts { state.withLock { $0.counts } }
  package var problem: String? { state.withLock { $0.problem } }
  var setup: PollerSetup { state.withLock { $0.setup } }
  /// Batches that run, and may run at once.
  package var concurrency: (running: Int, allowed: Int) {
    state.withLock { ($0.machine.runningCount, $0.machine.concurrency) }
  }

  private static let functionMissing = "PROBLEM: The function does not exist."
  private static let queueMissing = "PROBLEM: The queue does not exist."

  // MARK: - Its life

  /// Returns when it was stopped and nothing is under way any more.
  func run() async {
    act { state, now, actions in state.machine.pass(now: now, &actions) }
    await withDiscardingTaskGroup { receives in
      await withDiscardingTaskGroup { others in
        for await order in orders {
          switch order.action {
          case .receive(let receiver, let count):
            receives.addTask { await self.receive(receiver, count, order.work) }
          case .cancelReceives:
            receives.cancelAll()
            order.work.end()
          case .invoke(let batch):
            others.addTask {
              await self.invoke(batch)
              order.work.end()
            }
          case .giveBack(let items):
            others.addTask {
              await self.giveBack(items.map(\.record))
              order.work.end()
            }
          case .stopped:
            enqueue.finish()
            order.work.end()
          }
        }
      }
    }
    state.withLock { state in
      if let alarm = state.alarm { parts.alarms.cancel(alarm.alarm) }
      state.alarm = nil
    }
  }

  /// The mapping was changed; what runs ends as it began.
  func configure(_ setup: PollerSetup) {
    let isThere = parts.functions.find(setup.function.key) != nil
    act { state, now, actions in
      state.setup = setup
      state.machine.configure(setup.settings, now: now, &actions)
      if !isThere { state.hold(Poller.functionMissing) } else { state.resume(now, &actions) }
    }
  }

  func stop() { act { state, now, actions in state.machine.stop(now: now, &actions) } }

  /// The queue or the function may be there again.
  func resume() { act { state, now, actions in state.resume(now, &actions) } }

  // MARK: - Acting

  private func act(_ body: (inout State, Int64, inout [Machine.Action]) -> Void) {
    let now = parts.alarms.world.now().milliseconds
    state.withLock { state in
      var actions: [Machine.Action] = []
      body(&state, now, &actions)
      // Under the lock, so that nothing overtakes.
      for action in actions { enqueue.yield(Order(action: action, work: Alarms.Work(parts.alarms))) }
      setAlarm(&state, now)
    }
  }

  private func setAlarm(_ state: inout State, _ now: Int64) {
    guard let wake = state.machine.nextWake(now: now) else { return }
    if let alarm = state.alarm {
      guard wake < alarm.due else { return }
      parts.alarms.cancel(alarm.alarm)
    }
    let alarm = parts.alarms.set(at: Timestamp(milliseconds: wake)) { [weak self] in
      self?.act { state, now, actions in
        state.alarm = nil
        state.machine.pass(now: now, &actions)
      }
    }
    state.alarm = (alarm, wake)
  }

  /// As the role of the function, in whose name Lambda reads.
  private func call(_ setup: PollerSetup) -> Call {
    let place = setup.key.place
    let role = parts.functions.find(setup.function.key)?.latest.role ?? ""
    return Call.byRole(role, place, session: "awslambda-\(setup.key.name)", world: parts.alarms.world)
  }

  // MARK: - Receiving

  private func receive(_ receiver: Int, _ count: Int, _ work: Alarms.Work) async {
    let setup = setup
    var input = SQS.ReceiveMessage.Input(queue: setup.queue)
    input.count = count
    input.wait = SQS.ReceiveMessage.Input.untilThereIsOne
    input.systemNames = ["All"]
    input.names = ["All"]
    input.waits = { work.end() }
    do throws(AWSError) {
      let output = try await parts.door.call(SQS.ReceiveMessage.self, input, call(setup))
      // The mapping may have been changed while nothing came.
      await take(output.messages, receiver, self.setup)
      output.work?.end()
    } catch {
      failed(receiver, error)
    }
    work.end()
  }

  private func take(_ messages: [SQS.Message], _ receiver: Int, _ setup: PollerSetup) async {
    var (items, dropped): ([Machine.Item], [QueueRecord]) = ([], [])
    let now = parts.alarms.world.now().milliseconds
    for message in messages {
      let record = QueueRecord(message, from: setup.arn)
      if setup.filters.isEmpty || setup.wants(record) {
        items.append(.init(record: record, size: record.json.readableBytes, group: record.group, received: now))
      } else {
        dropped.append(record)
      }
    }
    act { state, now, actions in
      state.counts.polled += messages.count
      state.counts.filteredOut += dropped.count
      if !messages.isEmpty { state.problem = nil }
      state.machine.received(receiver, found: messages.count, items, now: now, &actions)
    }
    if !dropped.isEmpty { await delete(dropped, setup) }
  }

  private func failed(_ receiver: Int, _ error: AWSError) {
    let isMissing = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"].contains(error.code)
    let problem = isMissing ? Poller.queueMissing : "PROBLEM: \(error.message)"
    let isNew = state.withLock { state in
      defer { state.problem = problem }
      return state.problem != problem
    }
    if isNew {
      parts.log.warning(
        "a queue cannot be read",
        metadata: ["mapping": "\(setup.key.name)", "queue": "\(setup.arn)", "error": "\(error.code): \(error.message)"])
    }
    // Of queues that are elsewhere nobody says when they appear.
    let isRemote = parts.door.isRemote(SQS.ReceiveMessage.self)
    act { state, now, actions in
      state.machine.receiveFailed(receiver, isMissing: isMissing && !isRemote, now: now, &actions)
    }
  }

  // MARK: - Invoking

  private func invoke(_ batch: Machine.Batch) async {
    let setup = setup
    let records = batch.items.map(\.record)
    var invocation = Invocation(
      function: setup.function, payload: QueueRecord.event(records), requestID: RequestID(from: parts.alarms.world),
      traceHeader: QueueRecord.traceHeader(of: records))
    invocation.isPolled = true
    do throws(AWSError) {
      let reply = try await parts.line.invoke(invocation)
      let failed = setup.failures(of: records, in: reply)
      if let error = reply.functionError { note(setup, failure: error, batch) }
      let done = records.filter { !failed.contains($0.id) }
      act { state, now, actions in
        state.counts.invocations += 1
        state.counts.invoked += records.count
        state.counts.failedInvoke += failed.count
        state.problem = nil
        let groups = Set(records.lazy.filter { failed.contains($0.id) }.compactMap(\.group))
        let isFailure = reply.functionError != nil
        state.machine.ended(batch.number, isFailure ? .failed : .succeeded(failedGroups: groups), now: now, &actions)
      }
      if !done.isEmpty { await delete(done, setup) }
    } catch {
      await refused(batch, error, setup)
    }
  }

  private func note(_ setup: PollerSetup, failure: String, _ batch: Machine.Batch) {
    parts.log.debug(
      "a batch failed",
      metadata: ["mapping": "\(setup.key.name)", "function": "\(setup.function.arn)", "error": "\(failure)"])
  }

  /// The function did not run.
  private func refused(_ batch: Machine.Batch, _ error: AWSError, _ setup: PollerSetup) async {
    let isGone = parts.functions.find(setup.function.key) == nil
    var outcome = Machine.Outcome.failed
    // A chain that goes round in circles ends here, and a function that is gone has nothing to try.
    if !isGone, error.status != 400 {
      outcome = .refused(visibility: await visibility(setup))
    }
    act { state, now, actions in
      if error.status == 429 { state.counts.throttles += 1 } else { state.problem = "PROBLEM: \(error.message)" }
      if case .failed = outcome { state.counts.failedInvoke += batch.items.count }
      if isGone { state.hold(Poller.functionMissing) }
      state.machine.ended(batch.number, outcome, now: now, &actions)
    }
  }

  /// How long messages of the queue are hidden, in milliseconds, without the time that the function may need: what
  /// begins later would be seen by others before it ends.
  private func visibility(_ setup: PollerSetup) async -> Int64 {
    do throws(AWSError) {
      let output = try await parts.door.call(
        SQS.GetQueueAttributes.self, .init(queue: setup.queue, names: ["VisibilityTimeout"]), call(setup))
      let seconds = output.attributes.first { $0.key == "VisibilityTimeout" }.flatMap { Int64($0.value) } ?? 30
      let timeout = Int64(parts.functions.find(setup.function.key)?.latest.timeout ?? 0)
      return max(seconds - timeout, seconds / 2) * 1000
    } catch {
      return 0
    }
  }

  // MARK: - What becomes of messages

  private static let attempts = 5

  /// What cannot be deleted comes back, and is run again.
  private func delete(_ records: [QueueRecord], _ setup: PollerSetup) async {
    var rest = records
    for attempt in 1...Poller.attempts {
      let entries = rest.enumerated().map { (id: "\($0)", receipt: $1.receipt) }
      do throws(AWSError) {
        let output = try await parts.door.call(
          SQS.DeleteMessageBatch.self, .init(queue: setup.queue, entries: entries), call(setup))
        let failed = output.result.failed
        state.withLock { $0.counts.deleted += rest.count - failed.count }
        rest = failed.filter { $0.error.status >= 500 }.compactMap { entry in Int(entry.id).map { rest[$0] } }
        for entry in failed where entry.error.status < 500 { log(setup, "a message was not deleted", entry.error) }
        if rest.isEmpty { return }
      } catch {
        log(setup, "messages were not deleted", error)
        if error.status < 500 { return }
      }
      if attempt < Poller.attempts { await pause(.seconds(1 << attempt)) }
    }
  }

  private func giveBack(_ records: [QueueRecord]) async {
    let setup = setup
    let entries = records.enumerated().map { (id: "\($0)", receipt: $1.receipt, visibility: Int?.some(0)) }
    do throws(AWSError) {
      _ = try await parts.door.call(
        SQS.ChangeMessageVisibilityBatch.self, .init(queue: setup.queue, entries: entries), call(setup))
    } catch {
      log(setup, "messages were not given back before their time", error)
    }
  }

  private func log(_ setup: PollerSetup, _ what: String, _ error: AWSError) {
    parts.log.notice(
      "\(what)", metadata: ["mapping": "\(setup.key.name)", "queue": "\(setup.arn)", "error": "\(error.message)"])
  }

  private func pause(_ delay: Duration) async {
    await withCheckedContinuation { continuation in
      parts.alarms.set(at: parts.alarms.world.now() + delay) { continuation.resume() }
    }
  }
}

extension Poller.State {
  fileprivate mutating func hold(_ problem: String) {
    self.problem = problem
    machine.hold()
  }

  fileprivate mutating func resume(_ now: Int64, _ actions: inout [Poller.Machine.Action]) {
    problem = nil
    machine.resume(now: now, &actions)
  }
}

extension PollerSetup {
  /// Whether a filter lets the message through.
  func wants(_ record: QueueRecord) -> Bool {
    let value = record.filtered
    let isText = value["body"]?.string != nil
    // A filter that says what is in a body lets no body through that has nothing in it, whatever need not be there.
    return filters.contains { !(isText && $0.looksIntoBody) && $0.matches(value) }
  }

  /// The messages that stay in the queue.
  func failures(of records: [QueueRecord], in reply: Reply) -> Set<String> {
    let ids = Set(records.map(\.id))
    if reply.functionError != nil { return ids }
    guard reportsFailures else { return [] }
    switch BatchResponse(reply.payload, ids: ids) {
    case .success: return []
    case .failures(let failed): return failed
    case .malformed: return ids
    }
  }
}

extension EventPattern {
  fileprivate var looksIntoBody: Bool {
    fields.contains { field in
      guard field.name == "body", case .fields = field.rule else { return false }
      return true
    }
  }
}

extension Call {
  /// A call that Lambda makes in the name of a function's role.
  static func byRole(_ role: String, _ place: Place, session: String, world: any World) -> Call {
    let name = role.split(separator: "/").last.map(String.init) ?? "lambda"
    return Call(
      requestID: RequestID(from: world), place: place,
      caller: .identity(
        Identity(
          account: place.account, arn: "arn:aws:sts::\(place.account):assumed-role/\(name)/\(session)",
          id: "\(name):\(session)")), host: "localhost", traceHeader: nil)
  }
}
