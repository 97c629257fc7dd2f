// What to do after an attempt to export something: decided from the answer alone.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
import MartletCore
import MartletWire
import NIOCore

struct OTLPRetry: Sendable {
  enum Step: Sendable, Equatable {
    /// Taken; of its items as many were not.
    case taken(rejected: Int, message: String)
    case again(after: Duration, why: String)
    /// It is lost.
    case over(why: String)
  }

  private static let first = Duration.seconds(1)
  private static let longest = Duration.seconds(30)
  /// How much is waited for one export, all in all.
  static let patience = Duration.seconds(300)

  private var attempts = 0
  private var waited = Duration.zero

  /// - Parameters:
  ///   - chance: from 0 to 1, so that servers that failed together do not come back together.
  ///   - now: of the host, for a `Retry-After` that is a date.
  mutating func step(after result: Result<HTTPReply, Fault>, chance: Double, now: Timestamp) -> Step {
    switch result {
    case .failure(let fault): return wait(nil, "\(fault)", chance)
    case .success(let reply):
      switch reply.status {
      case 200...299:
        let (rejected, message) = OTLPRetry.partialSuccess(reply)
        return .taken(rejected: rejected, message: message)
      case 429, 502, 503, 504:
        return wait(OTLPRetry.retryAfter(reply, now), OTLPRetry.words(reply), chance)
      default: return .over(why: OTLPRetry.words(reply))
      }
    }
  }

  private mutating func wait(_ asked: Duration?, _ why: String, _ chance: Double) -> Step {
    var span = OTLPRetry.first
    for _ in 0..<min(attempts, 5) { span *= 2 }
    span = min(span, OTLPRetry.longest)
    // From the half of it to all of it.
    let wait = asked ?? span * (0.5 + 0.5 * chance)
    attempts += 1
    waited += wait
    return waited > OTLPRetry.patience ? .over(why: why) : .again(after: wait, why: why)
  }

  private static func retryAfter(_ reply: HTTPReply, _ now: Timestamp) -> Duration? {
    guard let text = reply.header("Retry-After") else { return nil }
    if let seconds = Int(text) { return .seconds(max(0, min(seconds, 3600))) }
    return Timestamp(httpDate: text).map { max(.zero, min($0 - now, .seconds(3600))) }
  }

  /// The message that an `Export…ServiceResponse` has in its `partial_success`.
  private static func partialSuccess(_ reply: HTTPReply) -> (rejected: Int, message: String) {
    var (rejected, message) = (0, "")
    var outer = ProtobufReader(reply.body.readableBytesView)
    while let (field, value) = outer.next() {
      guard field == 1, case .bytes(let bytes) = value else { continue }
      var inner = ProtobufReader(bytes)
      while let (field, value) = inner.next() {
        switch (field, value) {
        case (1, .number(let number)): rejected = max(0, Int(truncatingIfNeeded: number))
        case (2, .bytes(let text)): message = String(decoding: text, as: UTF8.self)
        default: break
        }
      }
    }
    return (rejected, message)
  }

  /// The status, and what a `google.rpc.Status` in the body says.
  private static func words(_ reply: HTTPReply) -> String {
    var reader = ProtobufReader(reply.body.readableBytesView)
    var text = ""
    while let (field, value) = reader.next() {
      if field == 2, case .bytes(let bytes) = value { text = String(decoding: bytes, as: UTF8.self) }
    }
    return "status \(reply.status)" + (text.isEmpty ? "" : ": \(text.prefix(500))")
  }
}
