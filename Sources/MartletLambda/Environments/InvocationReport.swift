// What an invocation has taken: the figures of REPORT and of platform.report.
import MartletCore

struct InvocationReport {
  /// From the delivery of the event to the last `/next`.
  let duration: Nanoseconds
  /// How long INIT took, on the first invocation only; it is billed.
  let initialisation: Nanoseconds?
  /// Mebibytes.
  let memorySize: Int
  let peak: ByteCount?
  let failure: FunctionFailure?

  /// Milliseconds.
  var billed: UInt64 { Nanoseconds(count: duration.count + (initialisation?.count ?? 0)).wholeMilliseconds }

  /// Mebibytes; where the host does not count it, the size.
  var memoryUsed: Int { peak.map { min(memorySize, max(1, ($0.bytes + 524_288) >> 20)) } ?? memorySize }
}
