// What AWS would charge for: the invocations of one version since somebody asked. Prices are no matter of this
// server's: docs/cost.md.
import MartletCore

struct BilledUse: Sendable, Equatable {
  /// One that is over.
  struct Invocation {
    /// As REPORT has it.
    let milliseconds: UInt64
    let isProvisioned: Bool
    /// Bytes that were streamed to its caller.
    let streamed: Int
  }

  /// Bytes of each streamed answer that cost nothing.
  static let freeStreaming = 6 * 1_048_576

  private(set) var requests = 0
  /// Milliseconds on demand, and in environments of provisioned concurrency.
  private(set) var onDemand: UInt64 = 0
  private(set) var provisioned: UInt64 = 0
  /// Bytes beyond those that cost nothing.
  private(set) var streamed = 0
  /// When the first of them was over.
  private(set) var since = Timestamp(nanoseconds: 0)

  /// - Parameter now: asked once.
  mutating func add(_ invocation: Invocation, now: () -> Timestamp) {
    if requests == 0 { since = now() }
    requests += 1
    if invocation.isProvisioned {
      provisioned += invocation.milliseconds
    } else {
      onDemand += invocation.milliseconds
    }
    streamed += max(0, invocation.streamed - BilledUse.freeStreaming)
  }
}

/// What provisioned concurrency costs: from when it is asked for until it is not, every five minutes that have begun.
/// https://aws.amazon.com/lambda/pricing/
struct ProvisionedMeter: Sendable {
  struct Key: Hashable {
    let function: FunctionKey
    let qualifier: String
  }

  /// What is asked for.
  struct Level {
    let key: Key
    /// Environments times the mebibytes of each.
    let mebibytes: Int64
    let since: Timestamp
  }

  private struct Line {
    var mebibytes: Int64
    /// Milliseconds since 1970.
    var paidUntil: Int64
  }

  /// Milliseconds.
  static let step: Int64 = 300_000

  private var lines: [Key: Line] = [:]
  private var hasBegun = false

  /// What has come to be charged since the last reading, in mebibytes times milliseconds. What there was when the
  /// server started is charged from its next five minutes on: the server before it has charged those that had begun.
  mutating func read(_ levels: [Level], now moment: Timestamp) -> [Key: Int64] {
    let now = moment.milliseconds
    var charges: [Key: Int64] = [:]
    var next: [Key: Line] = [:]
    for level in levels {
      let begun = min(now, level.since.milliseconds)
      let ahead = (now - begun) / ProvisionedMeter.step * ProvisionedMeter.step + ProvisionedMeter.step
      var line =
        lines[level.key]
        ?? Line(mebibytes: level.mebibytes, paidUntil: hasBegun ? begun : begun + ahead)
      var charge: Int64 = 0
      // What is added in the middle is charged for the rest of these five minutes.
      if level.mebibytes > line.mebibytes, line.paidUntil > now {
        charge += (level.mebibytes - line.mebibytes) * (line.paidUntil - now)
      }
      line.mebibytes = level.mebibytes
      if line.paidUntil <= now {
        let span = ((now - line.paidUntil) / ProvisionedMeter.step + 1) * ProvisionedMeter.step
        charge += level.mebibytes * span
        line.paidUntil += span
      }
      if charge > 0 { charges[level.key] = charge }
      next[level.key] = line
    }
    lines = next
    hasBegun = true
    return charges
  }
}
