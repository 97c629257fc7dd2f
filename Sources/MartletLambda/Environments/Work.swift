// An invocation in the hands of an environment.
import MartletCore

struct Work: Sendable {
  let invocation: Invocation
  /// nil = it could not begin here.
  let continuation: CheckedContinuation<Reply?, Never>
  /// `Root=…;Parent=…;Sampled=0`, as the function and the caller see it.
  let traceHeader: String
}
