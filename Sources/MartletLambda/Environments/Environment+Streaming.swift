// Responses that an environment passes on while its runtime sends them. The invocation's caller has its reply at the
// head of the response; what comes later goes into the stream.
import MartletCore
import MartletWire
import NIOCore

extension Environment {
  /// True if a response in streaming mode would be passed on as it comes.
  var passesOn: Bool {
    let live = live.value
    if let concurrent = live.concurrent { return concurrent.isRunning { $0.invocation.acceptsStream } }
    return live.machine.isWorking { $0.invocation.acceptsStream }
  }

  /// The runtime begins a response in streaming mode to the invocation `id`; nil if that is not expected now.
  func beginsStream(_ id: Substring, contentType: String?, _ flow: HTTPInflow) -> StreamedResponse? {
    let live = live.value
    guard isCurrent(id), let work = live.concurrent == nil ? live.machine.beginResponse() : beginResponse(id, live)
    else { return nil }
    let response = StreamedResponse(self, of: work, flow: flow, limit: parts.limits.streamedResponse)
    work.response = response
    var reply = Reply(payload: ByteBuffer(), executedVersion: configuration.version, traceHeader: work.traceHeader)
    reply.stream = response.stream
    reply.contentType = contentType
    if live.telemetry != nil { work.answerBegan = parts.world.monotonic() }
    work.resume(reply)
    return response
  }

  /// The runtime's part is over: the response is whole, or will never be.
  func streamed(_ response: StreamedResponse, failure: PayloadStream.Failure?) {
    let live = live.value
    if live.concurrent != nil { return streamedConcurrently(response, failure: failure, live) }
    let work = response.work
    guard work.response === response, live.machine.endResponse() != nil else { return }
    pool.expect(self)
    work.permit?.answerIsGiven()
    end(response, of: work, failure, nil, live)
  }

  /// A runtime that broke off and lives has said all that it says.
  func endIfCut(_ response: StreamedResponse) {
    guard response.isCut else { return }
    let document = FunctionFailure.payload(type: FunctionFailure.truncated, message: FunctionFailure.truncatedMessage)
    streamed(response, failure: (FunctionFailure.truncated, document))
  }

  /// The runtime has ended. What it had written of a response is read first, as long as there is something to read.
  func exited(_ reason: ExitReason, _ live: Live) {
    let open = openResponses(live)
    guard open.isEmpty ? passesOn : open.contains(where: { !$0.isCut }) else { return broke(.exited(reason), live) }
    live.exit = (reason, live.programNumber)
    linger(open.reduce(0) { $0 + $1.size })
  }

  private func openResponses(_ live: Live) -> [StreamedResponse] {
    let works = live.concurrent?.all ?? live.machine.work.map { [$0] } ?? []
    return works.compactMap(\.response)
  }

  private func linger(_ size: Int) {
    eventLoop.scheduleTask(in: Environment.patience) {
      let live = self.live.value
      let open = self.openResponses(live)
      let now = open.reduce(0) { $0 + $1.size }
      if live.exit != nil, now > size || open.contains(where: { $0.stream.isHeldUp }) {
        self.linger(now)
      } else {
        self.endLinger()
      }
    }
  }

  /// The connection of a response that is not whole has ended.
  func cutOff(_ response: StreamedResponse) {
    endLinger()
    // Where other polls are open no `/next` tells that the runtime lives.
    guard live.value.concurrent != nil else { return }
    let bound = NIOLoopBound(response, eventLoop: eventLoop)
    eventLoop.scheduleTask(in: Environment.patience) { self.endIfCut(bound.value) }
  }

  /// Its connection has ended as well, or the time is over.
  func endLinger() {
    let live = live.value
    guard let exit = live.exit else { return }
    live.exit = nil
    if exit.program == live.programNumber { broke(.exited(exit.reason), live) }
  }

  /// A connection of a dead process ends at once, unless a child holds it.
  private static let patience = TimeAmount.milliseconds(20)

  /// Tells the reader of a stream that nothing more comes.
  /// - Parameter reported: what REPORT says of a failure of the platform's.
  func end(
    _ response: StreamedResponse, of work: Work, _ failure: PayloadStream.Failure?, _ reported: FunctionFailure?,
    _ live: Live
  ) {
    work.response = nil
    work.streamed = response.size
    count(work, hasFailed: failure != nil, live)
    noteAnswer(work, bytes: response.size, errorType: failure?.type, live)
    let ending = PayloadStream.Ending(failure: failure)
    if !work.invocation.wantsLog {
      if !live.isFollowed { live.initDuration = nil }
      response.stream.finish(ending)
    } else if reported == nil, live.extensions?.machine.followsInvocations == true {
      work.heldEnding = (response.stream, ending)
    } else {
      send(ending, to: response.stream, of: work, reported, live)
    }
  }

  /// Sends the end of a response with the end of its log.
  func send(
    _ ending: PayloadStream.Ending, to stream: PayloadStream, of work: Work, _ reported: FunctionFailure?, _ live: Live
  ) {
    var ending = ending
    let report = work.told ?? report(work, reported, live)
    if !live.isFollowed { live.initDuration = nil }
    live.whenCaughtUp {
      self.writeEnd(work, report, live)
      ending.log = self.log(of: work, live).end
      live.logged[work.id] = nil
      stream.finish(ending)
    }
  }
}
