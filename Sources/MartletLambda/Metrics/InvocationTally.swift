// The figures of the invocations of one version since somebody asked. What ends every invocation adds to it, so it
// neither allocates nor looks anything up once a qualifier is known: docs/metrics.md.
import MartletCore

struct InvocationTally: Sendable {
  /// What was invoked under one name.
  struct Entry: Sendable {
    /// As callers gave it; nil = none.
    let qualifier: String?
    /// When it was empty last.
    var since = Timestamp(nanoseconds: 0)
    var invocations = 0
    var errors = 0
    /// Of `invocations`: those in environments of provisioned concurrency, and those that began with an INIT.
    var provisioned = 0
    var cold = 0
    var durations = DurationTally()

    init(qualifier: String?) { self.qualifier = qualifier }
  }

  /// One that took so long that it began at another time.
  struct Late: Sendable {
    let qualifier: String?
    let began: Timestamp
    let nanoseconds: UInt64
    let hasFailed: Bool
    let isProvisioned: Bool
    let isCold: Bool
  }

  /// How an invocation went.
  struct Invocation {
    let qualifier: String?
    let nanoseconds: UInt64
    let hasFailed: Bool
    let isProvisioned: Bool
    let isCold: Bool
  }

  /// Nanoseconds after which an invocation is told with the time of its beginning.
  static let long: UInt64 = 1_000_000_000

  private(set) var entries: [Entry] = []
  private(set) var late: [Late] = []
  /// What AWS would charge for.
  private(set) var use = BilledUse()

  /// - Parameter now: asked seldom.
  mutating func add(_ invocation: Invocation, now: () -> Timestamp) {
    guard invocation.nanoseconds < InvocationTally.long else {
      late.append(
        Late(
          qualifier: invocation.qualifier, began: now() + .nanoseconds(-Int64(invocation.nanoseconds)),
          nanoseconds: invocation.nanoseconds, hasFailed: invocation.hasFailed,
          isProvisioned: invocation.isProvisioned, isCold: invocation.isCold))
      return
    }
    var index = 0
    while index < entries.count, entries[index].qualifier != invocation.qualifier { index += 1 }
    if index == entries.count { entries.append(Entry(qualifier: invocation.qualifier)) }
    if entries[index].invocations == 0 { entries[index].since = now() }
    entries[index].invocations += 1
    if invocation.hasFailed { entries[index].errors += 1 }
    if invocation.isProvisioned { entries[index].provisioned += 1 }
    if invocation.isCold { entries[index].cold += 1 }
    entries[index].durations.add(invocation.nanoseconds)
  }

  /// Adds what an invocation that is over costs.
  mutating func bill(_ bill: BilledUse.Invocation, now: () -> Timestamp) { use.add(bill, now: now) }

  mutating func takeUse() -> BilledUse {
    defer { use = BilledUse() }
    return use
  }

  /// Takes out what there is; the room stays.
  mutating func take() -> (entries: [Entry], late: [Late]) {
    let taken = entries.filter { $0.invocations > 0 }
    for index in entries.indices where entries[index].invocations > 0 {
      entries[index].invocations = 0
      entries[index].errors = 0
      entries[index].provisioned = 0
      entries[index].cold = 0
      entries[index].durations.clear()
    }
    defer { late = [] }
    return (taken, late)
  }
}

/// How long something took how often: the first few as they are, more of them in steps of about one percent.
struct DurationTally: Sendable, Equatable {
  private static let exactCount = 64
  /// Steps in a doubling.
  private static let fineness = 64
  private static let doublings = 40

  private(set) var count = 0
  private(set) var sum: UInt64 = 0
  private var exact: [UInt64] = []
  /// Empty until it is needed.
  private var steps: [UInt32] = []

  init() { exact.reserveCapacity(DurationTally.exactCount) }

  /// - Parameter nanoseconds: below 2^40, which are eighteen minutes; more counts as that.
  mutating func add(_ nanoseconds: UInt64) {
    count += 1
    sum += nanoseconds
    guard exact.count == DurationTally.exactCount else { return exact.append(nanoseconds) }
    if steps.isEmpty { steps = [UInt32](repeating: 0, count: DurationTally.fineness * DurationTally.doublings) }
    steps[DurationTally.step(nanoseconds)] += 1
  }

  mutating func clear() {
    count = 0
    sum = 0
    exact.removeAll(keepingCapacity: true)
    for index in steps.indices where steps[index] > 0 { steps[index] = 0 }
  }

  private static func step(_ nanoseconds: UInt64) -> Int {
    guard nanoseconds >= UInt64(fineness) else { return Int(nanoseconds) }
    let doubling = 63 - nanoseconds.leadingZeroBitCount
    let fraction = Int(nanoseconds >> UInt64(doubling - 6)) & (fineness - 1)
    return min((doubling - 5) * fineness + fraction, fineness * doublings - 1)
  }

  /// The middle of a step.
  private static func middle(_ step: Int) -> Double {
    guard step >= fineness else { return Double(step) }
    let doubling = step / fineness + 5
    return Double(sign: .plus, exponent: doubling, significand: 1 + (Double(step % fineness) + 0.5) / Double(fineness))
  }

  /// In nanoseconds, with how often.
  var values: [(value: Double, count: Double)] {
    var values = exact.map { (value: Double($0), count: 1.0) }
    for (index, number) in steps.enumerated() where number > 0 {
      values.append((DurationTally.middle(index), Double(number)))
    }
    return values
  }
}
