// An invocation in the hands of an environment, and its course there.
import MartletCore

/// Touched on the environment's event loop only, once it is there. What is known of an invocation is kept here and not
/// with the environment, because an environment may have several.
final class Work: @unchecked Sendable {
  let invocation: Invocation
  /// `Root=…;Parent=…;Sampled=0`, as the function and the caller see it.
  let traceHeader: String
  /// Gets the reply; nil = it could not begin here.
  private var continuation: CheckedContinuation<Reply?, Never>?
  /// Keeps the account's concurrency taken for as long as the invocation lasts.
  var permit: Permit?
  /// When its time began, on the monotonic clock; 0 = not yet.
  var started: UInt64 = 0
  /// When its time is over; nil where nothing ends by force.
  var deadline: UInt64?
  /// Of this delivery of its event: one that is repeated has the same request id, and may come here again.
  var delivery: RequestID?
  /// Its own log, where an environment has several invocations.
  var log: InvocationLog?
  /// A response that is being passed on.
  var response: StreamedResponse?
  /// An answer that waits for the end of its invocation, because its log does.
  var heldReply: Reply?
  /// The same of the end of a response.
  var heldEnding: (stream: PayloadStream, ending: PayloadStream.Ending)?
  // For its records, if somebody has subscribed: its beginning, its answer (when, how large, the type of the error if
  // it was one), the runtime's end, and the identifier of its span.
  var began = Timestamp(nanoseconds: 0)
  var answer: (began: UInt64, moment: UInt64, bytes: Int, errorType: String?)?
  var answerBegan: UInt64?
  var runtimeDone: UInt64 = 0
  /// Its figures, once they were told.
  var told: InvocationReport?
  var span = ""
  // For what it costs: INIT before it, and the bytes that were passed on.
  var initDuration: Nanoseconds?
  var streamed = 0
  // For its trace: the initialisation before it, and what the runtime said of its error.
  var initialised: (start: UInt64, duration: UInt64)?
  var errorCause: InvocationTrace.Cause?
  /// Why it cannot run at all.
  var refusal: AWSError?
  /// Why it had to wait for a runtime, if it had.
  var coldStart: ColdStartReason?

  init(_ invocation: Invocation, traceHeader: String, permit: consuming Permit) {
    self.invocation = invocation
    self.traceHeader = traceHeader
    self.permit = consume permit
  }

  /// Calls `body` with itself, and waits for the reply.
  func reply(_ body: (Work) -> Void) async -> Reply? {
    await withCheckedContinuation { (continuation: CheckedContinuation<Reply?, Never>) in
      self.continuation = continuation
      body(self)
    }
  }

  /// Answers the caller, once.
  func resume(_ reply: Reply?) {
    guard let continuation = continuation.take() else { preconditionFailure("an invocation is answered once") }
    continuation.resume(returning: reply)
  }
}

extension Work: Identifiable {
  var id: RequestID { invocation.requestID }
}
