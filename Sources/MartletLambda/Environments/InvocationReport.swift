// What an invocation has taken: the figures of REPORT and of platform.report.
import MartletCore

struct InvocationReport {
  /// From the delivery of the event to the last `/next`.
  let duration: Nanoseconds
  /// How long INIT took, on the first invocation only.
  let initialisation: Nanoseconds?
  /// In an environment of provisioned concurrency, which is paid for by the time: its INIT is not billed.
  var isProvisioned = false
  /// Where the environment came from a snapshot: the part of its start that its own hooks took, which is billed.
  var restored: Nanoseconds?
  /// Mebibytes.
  let memorySize: Int
  let peak: ByteCount?
  let failure: FunctionFailure?

  /// Milliseconds: INIT and duration together, rounded up, at least one.
  var billed: UInt64 {
    let initialisation = isProvisioned ? 0 : billedRestore.map { $0 * 1_000_000 } ?? initialisation?.count ?? 0
    return Nanoseconds(count: duration.count + initialisation).wholeMilliseconds
  }

  /// Milliseconds of the restoration before it; nil without one.
  var billedRestore: UInt64? { initialisation == nil ? nil : restored.map(\.wholeMilliseconds) }

  /// Mebibytes; where the host does not count it, the size.
  var memoryUsed: Int { peak.map { min(memorySize, max(1, ($0.bytes + 524_288) >> 20)) } ?? memorySize }
}
