// Firing: what is due is written to the outbox in the transaction that moves the schedule on, and delivered from there.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization

/// What became of a schedule's last attempt, for `martlet explain`. Not kept over a restart.
struct SchedulerNote: Sendable {
  let firing: Firing
  let at: Timestamp
  let attempts: Int
  let outcome: Outcome

  enum Outcome: Sendable {
    /// Under this request id.
    case delivered(String)
    case retrying(AWSError, at: Timestamp)
    case buried(AWSError, Firing.Exhaustion?)
    case dropped(AWSError, Firing.Exhaustion?)
  }
}

extension SchedulerService {
  /// How far back missed occurrences are made up for.
  private static let longestAge = Duration.seconds(86_400)

  /// Writes what a schedule owes by now to the outbox, and moves the schedule on, in one transaction.
  func fire(_ key: ResourceKey) async {
    let execution = randomHex(16, from: world)
    let now = world.now()
    let written = Mutex<[Parcel]>([])
    do throws(AWSError) {
      let skipped = try await schedules.change(
        key,
        { [zones] record throws(AWSError) -> (firing: Firing?, skipped: Int) in
          guard var schedule = record, schedule.settings.isEnabled, let timing = schedule.timing(zones) else {
            return (nil, 0)
          }
          let age = min(.seconds(schedule.settings.target.maximumAge), SchedulerService.longestAge)
          guard let (occurrence, skipped) = timing.due(after: schedule.cursor, now: now, age: age) else {
            // It was changed, or the host's clock was put back: the alarm is set anew.
            return (nil, 0)
          }
          let isLast = timing.next(after: occurrence.scheduled) == nil
          let firing = Firing(schedule, occurrence, execution: execution, isLast: isLast)
          schedule.cursor = occurrence.scheduled
          record = schedule
          return (firing, skipped)
        },
        with: { [outbox] result, session throws(Fault) in
          guard let firing = result.firing else { return }
          let draft = Parcel.Draft(target: firing.target.arn, body: firing.body)
          let parcels = try outbox.write([draft], session)
          written.withLock { $0 = parcels }
        },
        ended: { [outbox] in outbox.begin(written.withLock { $0 }) }
      ).skipped
      if skipped > 0 {
        log.notice(
          "a schedule missed its time, and is made up for once",
          metadata: ["schedule": "\(key.name)", "missed": "\(skipped + 1)"])
      }
    } catch {
      log.error(
        "a schedule could not fire", metadata: ["schedule": "\(key.name)", "fault": "\(error.note ?? error.message)"])
      alarms.set(at: now + .seconds(5)) { [clock] in clock.ring(key) }
    }
  }

  // MARK: - Delivering

  func deliver(_ parcel: Parcel) async -> Parcel.Fate {
    guard let firing = Firing(body: parcel.body) else {
      log.error("a firing is damaged", metadata: ["target": "\(parcel.target)"])
      return .over
    }
    let call = Call(
      requestID: RequestID(from: world), place: firing.key.place, caller: .service(SchedulerService.principal),
      host: "localhost", traceHeader: nil)
    let attempts = parcel.attempts + 1
    do throws(AWSError) {
      if firing.isTooOld(world.now()) { throw .schedulerTooOld() }
      try await invoke(firing, attempt: attempts, call)
      note(firing, attempts, .delivered(call.requestID.description))
    } catch {
      switch firing.failed(error, attempts: attempts, age: world.now() - firing.due) {
      case .retry(let delay):
        note(firing, attempts, .retrying(error, at: world.now() + delay))
        return .again(after: delay)
      case .giveUp(let condition):
        guard await bury(firing, error, attempts, condition, call) else {
          return .again(after: Firing.backOff(attempts))
        }
      }
    }
    if firing.isFarewell { await end(firing) }
    return .over
  }

  /// Invokes the target.
  private func invoke(_ firing: Firing, attempt: Int, _ call: Call) async throws(AWSError) {
    let target = firing.target
    let payload = firing.payload(attempt: attempt)
    switch try target.kind() {
    case .function:
      _ = try await door.call(
        Lambda.InvokeEvent.self, .init(function: target.arn, payload: ByteBuffer(string: payload)), call)
    case .queue:
      guard let queue = SQS.QueueReference(arn: target.arn) else { throw .schedulerInvalidTarget() }
      var message = SQS.Outgoing(body: payload)
      message.groupID = target.messageGroup
      _ = try await door.call(SQS.SendMessage.self, .init(queue: queue, message: message), call)
    case .topic: _ = try await door.call(SNS.Publish.self, .init(topic: target.arn, message: payload), call)
    case .stream:
      let record = Kinesis.Outgoing(data: ByteBuffer(string: payload), partitionKey: target.partitionKey)
      _ = try await door.call(Kinesis.PutRecord.self, .init(stream: .init(arn: target.arn), record: record), call)
    case .bus:
      let entry = EventBridge.PutEvents.Entry(
        source: target.event?.source ?? "", detailType: target.event?.detailType ?? "", detail: payload,
        bus: target.arn)
      try await put(.init(entries: [entry]), call)
    case .operation(let service, let action): try await operate("\(service):\(action)", payload, call)
    }
  }

  private func put(_ input: EventBridge.PutEvents.Input, _ call: Call) async throws(AWSError) {
    let output = try await door.call(EventBridge.PutEvents.self, input, call)
    for case .failed(let code, let message) in output.results {
      throw AWSError(code, status: code == "InternalFailure" || code.contains("Throttl") ? 500 : 400, message)
    }
  }

  /// An operation by the name that AWS's SDKs give it; the input is its members.
  private func operate(_ name: String, _ payload: String, _ call: Call) async throws(AWSError) {
    let r = Reader(HTTPRequest(method: .POST, uri: "/", headers: [:], body: ByteBuffer(string: payload)))
    switch name {
    case "lambda:invoke":
      let input = try Lambda.InvokeEvent.Input(universal: r)
      try r.finish()
      _ = try await door.call(Lambda.InvokeEvent.self, input, call)
    case "sqs:sendMessage":
      let input = try SQS.SendMessage.Input(r)
      try r.finish()
      _ = try await door.call(SQS.SendMessage.self, input, call)
    case "sqs:sendMessageBatch":
      let input = try SQS.SendMessageBatch.Input(r)
      try r.finish()
      _ = try await door.call(SQS.SendMessageBatch.self, input, call)
    case "sns:publish":
      let input = try SNS.Publish.Input(r)
      try r.finish()
      _ = try await door.call(SNS.Publish.self, input, call)
    case "eventbridge:putEvents":
      let input = try EventBridge.PutEvents.Input(r)
      try r.finish()
      try await put(input, call)
    default: throw .notImplemented("the Scheduler target \(name)")
    }
  }

  /// Puts what is given up into the dead-letter queue.
  /// - Returns: false if that is to be tried again.
  private func bury(
    _ firing: Firing, _ error: AWSError, _ attempts: Int, _ condition: Firing.Exhaustion?, _ call: Call
  ) async -> Bool {
    let words: Logger.Metadata = [
      "schedule": "\(firing.arn)", "target": "\(firing.target.arn)", "error": "\(error.code): \(error.message)",
      "attempts": "\(attempts)",
    ]
    guard let queue = firing.target.deadLetters.flatMap({ SQS.QueueReference(arn: $0) }) else {
      log.warning("a schedule's target could not be invoked", metadata: words)
      note(firing, attempts, .dropped(error, condition))
      return true
    }
    do throws(AWSError) {
      let letter = firing.deadLetter(error, attempts: attempts, condition: condition)
      _ = try await door.call(SQS.SendMessage.self, .init(queue: queue, message: letter), call)
      log.notice("a schedule's target could not be invoked: dead letter", metadata: words)
      note(firing, attempts, .buried(error, condition))
    } catch let failure {
      log.warning(
        "the dead letter of a schedule could not be sent",
        metadata: words.merging(["queue": "\(queue.name)", "failure": "\(failure.code): \(failure.message)"]) { $1 })
      note(firing, attempts, .dropped(failure, condition))
      return !Firing.isTemporary(failure)
    }
    return true
  }

  /// The last occurrence is over, and the schedule goes with it unless it was changed meanwhile.
  private func end(_ firing: Firing) async {
    do throws(AWSError) {
      try await schedules.change(firing.key) { record throws(AWSError) in
        if record?.incarnation == firing.incarnation, record?.modified == firing.modified { record = nil }
      }
    } catch {
      log.error("a schedule that is over could not be deleted", metadata: ["schedule": "\(firing.arn)"])
    }
  }

  private static let notesKept = 10_000

  private func note(_ firing: Firing, _ attempts: Int, _ outcome: SchedulerNote.Outcome) {
    let note = SchedulerNote(firing: firing, at: world.now(), attempts: attempts, outcome: outcome)
    notes.withLock { notes in
      if notes.count >= SchedulerService.notesKept, notes[firing.key] == nil { notes.removeAll() }
      notes[firing.key] = note
    }
  }
}

extension Lambda.InvokeEvent.Input {
  /// The members of Invoke as a schedule has them: `FunctionName`, `Qualifier`, `InvocationType`, `Payload`.
  init(universal r: Reader) throws(AWSError) {
    let m = try r.body()
    let name = m.required("FunctionName", .length(1, 256))
    let type = m.string("InvocationType", .oneOf(["Event", "RequestResponse", "DryRun"]))
    let qualifier = m.string("Qualifier", .length(1, 128))
    let payload = m.members.last { $0.name == "Payload" }?.value
    guard type == "Event" else {
      throw .notImplemented("Scheduler's aws-sdk:lambda:invoke with an InvocationType other than Event")
    }
    self.init(
      function: qualifier.map { "\(name):\($0)" } ?? name,
      payload: ByteBuffer(string: payload.map { $0.string ?? $0.text } ?? ""))
  }
}
