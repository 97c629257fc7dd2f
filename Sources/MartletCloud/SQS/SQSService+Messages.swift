// Messages in, out and elsewhere: each change is one transaction, and is seen once it is on disk.
import MartletCore
import MartletStore
import MartletWire
import NIOPosix

extension SQSService {
  typealias Move = (message: StoredMessage, due: Int64, receives: Int, firstReceived: Int64)

  // MARK: - Sending

  /// Sends messages that were checked, in their order; those that a FIFO queue knows already are answered as before.
  func send(_ drafts: [Draft], to key: ResourceKey, _ call: Call) async throws(AWSError) -> [SQS.Sent] {
    let sender = call.identity.id
    let result: Result<[SQS.Sent], AWSError> = await withCheckedContinuation { continuation in
      database.enqueue(
        { session in
          guard let queue = self.queues.newest(key), let line = self.live.find(key) else { return Outcome.absent }
          return try self.insert(drafts, queue, line, (sender, call.traceHeader), session)
        },
        ended: { result in
          switch result {
          case .success(.absent): continuation.resume(returning: .failure(.sqsNoQueue()))
          case .success(.sent(let sent, let arrivals, let store)):
            if !arrivals.isEmpty, let line = self.live.find(key) {
              line.note { for arrival in arrivals { $0.sent(size: arrival.message.size) } }
              line.arrive(arrivals, store: store)
            }
            continuation.resume(returning: .success(sent))
          case .failure(let fault):
            for id in drafts.compactMap(\.deduplicationScope) { self.live.find(key)?.forget(id) }
            continuation.resume(returning: .failure(.service("\(fault)")))
          }
        })
    }
    return try result.get()
  }

  private enum Outcome: Sendable {
    case absent
    case sent([SQS.Sent], [Move], store: Int64)
  }

  private func insert(
    _ drafts: [Draft], _ queue: SQSQueue, _ line: LiveQueue, _ from: (sender: String, trace: String?),
    _ session: SQLSession
  ) throws(Fault) -> Outcome {
    let now = self.now
    var (sent, arrivals): ([SQS.Sent], [Move]) = ([], [])
    for draft in drafts {
      if let scope = draft.deduplicationScope, let known = line.known(scope, now: now) {
        sent.append(draft.sent(id: known.message, sequence: known.sequence, isFIFO: true))
        continue
      }
      let message = StoredMessage(
        sequence: nextSequence(), id: draft.id, body: draft.outgoing.body, bodyDigest: draft.bodyDigest, sent: now,
        sender: from.sender, group: draft.outgoing.groupID, deduplicationID: draft.deduplicationID,
        attributes: draft.outgoing.attributes,
        trace: draft.outgoing.systemAttributes.first { $0.name == "AWSTraceHeader" }?.string ?? from.trace)
      let due = now + Int64(draft.outgoing.delay ?? queue.delay) * 1000
      try session.insert(message, store: queue.store, due: due)
      if let scope = draft.deduplicationScope {
        try session.remember(scope, of: message, store: queue.store)
        line.remember(scope, .init(message: message.id, sequence: message.sequence, sent: now))
      }
      arrivals.append((message, due, 0, 0))
      sent.append(draft.sent(id: message.id, sequence: message.sequence, isFIFO: queue.isFIFO))
    }
    return .sent(sent, arrivals, store: queue.store)
  }

  // MARK: - Receiving

  func receive(_ input: SQS.ReceiveMessage.Input, _ call: Call) async throws(AWSError)
    -> SQS.ReceiveMessage.Output
  {
    let (queue, line) = try line(input.queue, call)
    if input.attemptID != nil, !queue.isFIFO {
      throw .sqsNotForThisType(input.attemptID ?? "", for: "ReceiveRequestAttemptId")
    }
    let wait = input.wait ?? queue.wait
    let (handouts, work) = try await line.receive(
      .init(
        count: input.count, visibility: Int64(input.visibility ?? queue.visibility) * 1000,
        wait: wait == SQS.ReceiveMessage.Input.untilThereIsOne ? .max : Int64(wait) * 1000, attempt: input.attemptID),
      waits: input.waits)
    let store = line.store
    let absent = handouts.filter { $0.message == nil }.map(\.delivery.sequence)
    let read = absent.isEmpty ? [:] : try await messages(absent, store: store)
    let messages: [SQS.Message] = handouts.compactMap { delivery, message in
      guard let message = message ?? read[delivery.sequence] else { return nil }
      let receipt = ReceiptHandle(store: store, sequence: delivery.sequence, receipt: delivery.receipt)
      return message.message(delivery, receipt: receipt.text, input)
    }
    return SQS.ReceiveMessage.Output(messages: messages, work: work)
  }

  /// Reads messages that are not in memory; those that are gone meanwhile are left out.
  private func messages(_ sequences: [Int64], store: Int64) async throws(AWSError) -> [Int64: StoredMessage] {
    let database = self.database
    do {
      return try await live.parts.threads.runIfActive {
        try database.read { session throws(Fault) in
          var messages: [Int64: StoredMessage] = [:]
          for sequence in sequences { messages[sequence] = try session.message(sequence, store: store) }
          return messages
        }
      }
    } catch {
      throw .service("\(error)")
    }
  }

  // MARK: - Deleting

  /// Deletes what receipt handles name; of each, nil or why not.
  func delete(_ handles: [String], from reference: SQS.QueueReference, _ call: Call) async throws(AWSError)
    -> [AWSError?]
  {
    let (_, line) = try line(reference, call)
    let store = line.store
    var refusals: [AWSError?] = []
    var (known, unknown): ([Int64], [Int64]) = ([], [])
    for text in handles {
      guard let handle = ReceiptHandle(text) else {
        refusals.append(.sqsInvalidReceipt(text))
        continue
      }
      refusals.append(nil)
      // What was purged is gone already.
      guard handle.store == store else { continue }
      switch line.leave(handle.sequence, receipt: handle.receipt) {
      case .go: known.append(handle.sequence)
      case .unknown: unknown.append(handle.sequence)
      case .expired: refusals[refusals.count - 1] = .sqsExpiredReceipt(text)
      }
    }
    guard !known.isEmpty || !unknown.isEmpty else { return refusals }
    let (leaving, others) = (known, unknown)
    let result: Result<Void, AWSError> = await withCheckedContinuation { continuation in
      database.enqueue(
        { session in
          var behind = 0
          for sequence in leaving { try session.deleteMessage(sequence, store: store) }
          for sequence in others where try session.hasMessage(sequence, store: store) {
            try session.deleteMessage(sequence, store: store)
            behind += 1
          }
          return behind
        },
        ended: { result in
          switch result {
          case .success(let behind):
            for _ in 0..<behind { line.leftTail() }
            line.left(leaving)
            line.note { $0.deleted += leaving.count + behind }
            continuation.resume(returning: .success(()))
          case .failure(let fault):
            line.stayed(leaving)
            continuation.resume(returning: .failure(.service("\(fault)")))
          }
        })
    }
    try result.get()
    return refusals
  }

  // MARK: - Hiding

  /// - Parameter seconds: from now; nil was not given.
  func hide(_ text: String, _ seconds: Int?, in queue: LiveQueue) -> AWSError? {
    guard let seconds else { return .sqsMissing("VisibilityTimeout") }
    guard (0...43_200).contains(seconds) else {
      return .sqsInvalid(seconds, for: "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200.")
    }
    guard let handle = ReceiptHandle(text) else { return .sqsInvalidReceipt(text) }
    guard handle.store == queue.store else { return .sqsNotAvailable(text) }
    switch queue.change(handle.sequence, receipt: handle.receipt, visibility: Int64(seconds) * 1000) {
    case .done: return nil
    case .unknown: return .sqsNotAvailable(text)
    case .notInFlight: return .sqsNotInFlight()
    case .beyondLimit:
      return .sqsInvalid(
        seconds, for: "VisibilityTimeout",
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
    }
  }

  // MARK: - Moving

  /// Moves messages that were received too often to the dead-letter queue.
  func bury(_ sequences: [Int64], from line: LiveQueue) {
    let queue = queues.find(line.key)
    alarms.begin()
    move(sequences, from: line, isRedrive: false) { _ in
      queue?.redrive?.target
    } ended: { [weak self] moved in
      // Else it would be tried again at once, for ever.
      if moved < sequences.count { line.suspendRedrive() }
      self?.alarms.end()
    }
  }

  /// Moves messages that were taken from a queue; what cannot be moved stays.
  /// - Parameters:
  ///   - isRedrive: they become new messages, as those of a move task do.
  ///   - target: where each goes; nil = nowhere.
  func move(
    _ sequences: [Int64], from line: LiveQueue, isRedrive: Bool,
    to target: @escaping @Sendable (StoredMessage) -> ResourceKey?, ended: @escaping @Sendable (Int) -> Void
  ) {
    typealias Moved = (key: ResourceKey, store: Int64, move: Move)
    let store = line.store
    let counts = line.receives(of: sequences)
    database.enqueue(
      { session in
        var (moved, gone): ([Moved], [Int64]) = ([], [])
        for sequence in sequences {
          guard let message = try session.message(sequence, store: store) else {
            gone.append(sequence)
            continue
          }
          guard let key = target(message), let queue = self.queues.newest(key),
            queue.isFIFO == line.key.name.hasSuffix(".fifo")
          else { continue }
          let now = self.now
          let (receives, first) = isRedrive ? (0, 0) : counts[sequence] ?? (0, 0)
          let copy = message.moved(
            sequence: self.nextSequence(), id: isRedrive ? self.newID() : message.id,
            sent: isRedrive || queue.isFIFO ? now : message.sent,
            source: isRedrive ? nil : ARN(service: "sqs", place: line.key.place, resource: line.key.name).description)
          try session.deleteMessage(sequence, store: store)
          try session.insert(copy, store: queue.store, due: now, receives: receives, firstReceived: first)
          moved.append((key, queue.store, (copy, now, receives, first)))
          gone.append(sequence)
        }
        return (moved, gone)
      },
      ended: { [weak self] result in
        guard case .success(let (moved, gone)) = result else {
          self?.live.parts.report(result, "move messages")
          line.stayed(sequences)
          return ended(0)
        }
        for (key, store, move) in moved { self?.live.find(key)?.arrive([move], store: store) }
        line.left(gone)
        let left = Set(gone)
        line.stayed(sequences.filter { !left.contains($0) })
        ended(gone.count)
      })
  }

  func newID() -> String { RequestID(from: world).description }
}
