// Environments that several invocations share, on the instance of a capacity provider, which is this host. The shell
// around Concurrent+StateMachine.swift: what happens to one invocation leaves the others alone, but for its crash.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-execution-environment.html
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

extension Environment {
  func assignConcurrently(_ work: Work, _ live: Live) {
    work.delivery = RequestID(from: parts.world)
    if work.invocation.wantsLog {
      work.log = InvocationLog(limit: parts.limits.logTail)
      live.logged[work.id] = work
    }
    switch live.concurrent?.assign(work) {
    case .deliver(let poll):
      begin(work, live)
      deliver(work, to: poll, live)
    case .waitForPoll: begin(work, live)
    case .wait: break
    case .refuse, nil:
      live.logged[work.id] = nil
      work.resume(nil)
    }
  }

  // MARK: - The runtime calls

  func nextConcurrently(_ poll: HTTPExchange, _ live: Live) {
    var isSettled = true
    if live.concurrent?.isInitialising == true, live.extensions != nil {
      if live.concurrent?.polls.isEmpty == true { tellInitRuntimeDone(nil, nil, live) }
      isSettled = live.extensions?.machine.runtimeIsBack(poll, closesRegistration: true) ?? true
    }
    switch live.concurrent?.next(poll, isSettled: isSettled) {
    case .initialised(let pairs): initialised(pairs, live)
    case .deliver(let work): deliver(work, to: poll, live)
    case .parked, nil: break
    case .refuse(let from): poll.send(RuntimeAPI.wrongState(from: from, to: "Ready"))
    }
  }

  /// The extensions are done, and perhaps the runtime was before them.
  func settleConcurrently(_ live: Live) {
    guard live.concurrent?.state == .starting, live.concurrent?.polls.isEmpty == false,
      live.extensions?.machine.isSettled == true
    else { return }
    initialised(live.concurrent?.settle() ?? [], live)
  }

  private func initialised(_ pairs: [(work: Work, poll: HTTPExchange)], _ live: Live) {
    live.turn = nil
    live.deadline = nil
    settleCPU(live)
    tellInitReport(Nanoseconds(count: parts.world.monotonic() &- live.initStarted), nil, nil, live)
    live.telemetry?.close()
    if live.telemetry?.isWanted == false { live.telemetry = nil }
    for work in live.concurrent?.waiting ?? [] {
      work.coldStart = origin
      begin(work, live)
    }
    for (work, poll) in pairs {
      work.coldStart = origin
      begin(work, live)
      deliver(work, to: poll, live)
    }
  }

  /// The invocation that an answer is meant for, which leaves the environment with it.
  /// - Parameter delivery: which delivery it answers, from a runtime that says so.
  func answerConcurrently(_ id: Substring, _ delivery: String?, _ live: Live) -> Machine.Answer {
    guard let id = RequestID(id) else { return .wrongIdentifier }
    guard let answer = live.concurrent?.answer(id, { delivery == nil || $0.delivery?.description == delivery }) else {
      return .wrongIdentifier
    }
    if case .accept(let work) = answer { leave(work, live) }
    return answer
  }

  /// An answer that comes after the time was over is dropped. True if it was one.
  func isLate(_ id: Substring, _ live: Live) -> Bool {
    guard let id = RequestID(id), live.concurrent?.answerLate(id) == true else { return false }
    giveBack(live)
    return true
  }

  func beginResponse(_ id: Substring, _ live: Live) -> Work? {
    guard let id = RequestID(id), live.concurrent?.isRunning({ $0.id == id && $0.invocation.acceptsStream }) == true
    else { return nil }
    return live.concurrent?.beginResponse(id)
  }

  /// The end of a response that was passed on.
  func streamedConcurrently(_ response: StreamedResponse, failure: PayloadStream.Failure?, _ live: Live) {
    let work = response.work
    guard work.response === response, live.concurrent?.endResponse(work.id) != nil else {
      if live.concurrent?.answerLate(work.id) == true { giveBack(live) }
      return
    }
    leave(work, live)
    end(response, of: work, failure, nil, live)
    endedConcurrently(work, live)
  }

  /// It is done with an invocation, whose place is free before its caller knows of it.
  private func leave(_ work: Work, _ live: Live) {
    work.permit = nil
    giveBack(live)
  }

  private func giveBack(_ live: Live) {
    guard live.concurrent?.state == .serving else { return }
    if !pool.give(self, now: parts.world.monotonic()), live.concurrent?.isFree == true {
      discardWhenRead(live, .spindown)
    }
  }

  /// The invocation is over with its answer: nobody knows which `/next` would be its end.
  func endedConcurrently(_ work: Work, _ live: Live) {
    tellRuntimeDone(work, nil, live)
    tellEnd(work, nil, live)
  }

  // MARK: - Failures

  /// What the invocations whose time is over are told; the others do not notice.
  func timePassed(_ now: UInt64, _ live: Live) {
    let over = live.concurrent?.expire { $0.deadline.map { $0 <= now } ?? false } ?? []
    for (work, wasDelivered) in over {
      if !wasDelivered { giveBack(live) }
      fail(work, .timedOut(seconds: configuration.timeout), live)
    }
    if live.concurrent?.isStuck == true {
      live.loss = .timedOut
      pool.forget(self, .timedOut)
      discardWhenRead(live, .timeout)
    }
  }

  /// The runtime or an extension has ended: so does the environment, and everybody is told.
  func brokeConcurrently(_ failure: Machine.Failure, _ live: Live) {
    guard live.concurrent?.state != .gone else { return }
    var described = describe(failure, live)
    if live.concurrent?.isInitialising == true {
      if case .timedOut = failure { described = .timedOut(seconds: Int(initLimit(live).components.seconds)) }
      tellInitRuntimeDone(described, nil, live)
      tellInitReport(Nanoseconds(count: parts.world.monotonic() &- live.initStarted), described, nil, live)
    }
    let loss = ColdStartReason(failure, isInitialising: live.concurrent?.isInitialising == true)
    live.loss = loss
    pool.forget(self, loss)
    let said = described.status == "timeout" ? nil : live.initError?.payload
    for work in live.concurrent?.remove() ?? [] { fail(work, described, payload: said, live) }
    discardWhenRead(live, .failure)
  }

  private func fail(_ work: Work, _ failure: FunctionFailure, payload: ByteBuffer? = nil, _ live: Live) {
    tellRuntimeDone(work, failure, live)
    tellEnd(work, failure, live)
    work.permit = nil
    answer(work, failure, live, payload: payload)
  }

  /// The environment is removed for another reason.
  func removeAll(_ live: Live) {
    let failure = FunctionFailure(type: "Sandbox.Failure", message: "The execution environment was removed")
    for work in live.concurrent?.remove() ?? [] { fail(work, failure, live) }
  }

  /// What has been printed belongs to the logs of those who are being answered.
  private func discardWhenRead(_ live: Live, _ reason: ShutdownReason) {
    live.whenCaughtUp { self.discard(live, reason) }
  }

  /// The version is no more: the environment goes when nobody waits for an answer.
  func retire() {
    onLoop { live in
      if live.concurrent?.isFree != false { self.discard(live) }
    }
  }

  // MARK: - Logs

  func log(of work: Work?, _ live: Live) -> InvocationLog { work?.log ?? live.log }

  /// A line belongs to the invocation that it names; one that names none belongs to the only one that there is.
  func append(_ line: ByteBuffer, _ record: JSONValue?, _ live: Live) {
    guard live.concurrent != nil else {
      live.log.append(line)
      return live.log.write("\n")
    }
    guard !live.logged.isEmpty, let work = owner(of: line, record, live) else { return }
    work.log?.append(line)
    work.log?.write("\n")
  }

  private func owner(of line: ByteBuffer, _ record: JSONValue?, _ live: Live) -> Work? {
    var named: RequestID?
    if let record {
      let name = record["requestId"] ?? record["AWSRequestId"] ?? record["aws_request_id"]
      named = name?.string.flatMap { RequestID($0[...]) }
    } else {
      named = String(buffer: line).split(whereSeparator: \.isWhitespace).lazy.compactMap { RequestID($0) }.first
    }
    if let named { return live.logged[named] }
    guard live.logged.count == 1, let only = live.logged.values.first,
      live.concurrent?.all.allSatisfy({ $0 === only }) == true
    else { return nil }
    return only
  }
}
