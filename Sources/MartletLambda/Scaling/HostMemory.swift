// The memory of the host: what there is, and whether one more environment may be started. What environments may use at
// most is no measure, because most of them use a fraction of it; what they do use is in the kernel's figures already.
import Glibc
import MartletCore
import Synchronization

/// What the kernel says of memory.
package struct MemoryFigures: Sendable, Equatable {
  /// Bytes, of the host or of the container that the server is in.
  package var total: Int
  /// Bytes that can be had without anybody's loss.
  package var available: Int
  /// Percent of the last ten seconds in which nobody got on for want of memory.
  package var stalled: Double

  package init(total: Int, available: Int, stalled: Double = 0) {
    self.total = total
    self.available = available
    self.stalled = stalled
  }
}

/// Where the figures come from.
package protocol HostMemory: Sendable {
  /// nil: this host does not tell.
  func read() -> MemoryFigures?
}

/// Admission to the host's memory. A value; time and figures come from outside.
struct MemoryAdmission: Sendable {
  /// What may come true in a moment and is not in the kernel's figures yet.
  private struct Promise {
    let until: UInt64
    let bytes: Int
  }

  /// Bytes that are left free; nil: a share of what there is.
  private let reserve: Int?
  /// What was started has not grown yet; what was removed is not free yet.
  private var starting: [Promise] = []
  private var leaving: [Promise] = []

  /// How long an environment needs to become as large as it usually is, and how long to be gone, in nanoseconds.
  static let (growth, departure): (UInt64, UInt64) = (3_000_000_000, 500_000_000)
  /// Percent of stalled time from which on twice as much is left free.
  static let stall = 10.0

  init(reserve: Int?) { self.reserve = reserve }

  /// A fiftieth, but from 64 to 512 MiB, and no more than a quarter.
  static func usualReserve(_ total: Int) -> Int { min(max(total / 50, 64 << 20), 512 << 20, total / 4) }

  /// How many bytes are missing for an environment that will use so many; 0 = it may be started.
  /// - Parameter isGreedy: its function has more than its share of the environments already: the last of the memory is
  ///   for functions that have less.
  mutating func missing(_ bytes: Int, isGreedy: Bool, _ figures: MemoryFigures, now: UInt64) -> Int {
    starting.removeAll { $0.until <= now }
    leaving.removeAll { $0.until <= now }
    var free = reserve ?? MemoryAdmission.usualReserve(figures.total)
    if figures.stalled >= MemoryAdmission.stall { free *= 2 }
    if isGreedy { free += free / 2 }
    let promised = starting.reduce(0) { $0 + $1.bytes } - leaving.reduce(0) { $0 + $1.bytes }
    return max(0, free + bytes + promised - figures.available)
  }

  mutating func started(_ bytes: Int, now: UInt64) {
    starting.append(Promise(until: now &+ MemoryAdmission.growth, bytes: bytes))
  }

  mutating func removed(_ bytes: Int, now: UInt64) {
    leaving.append(Promise(until: now &+ MemoryAdmission.departure, bytes: bytes))
  }

  /// An environment that nobody uses.
  struct Idle<E> {
    let environment: E
    /// What it uses.
    let bytes: Int
    /// Nanoseconds since it was used last.
    let age: UInt64
  }

  /// Whom to remove to get so many bytes: those first of which the most is won and the least is lost. How likely it is
  /// that an environment is used soon is unknown; that it was not used for long is the best sign that it will not be.
  /// So what goes first is what has occupied the most memory for the longest time. Empty if all of them are too few.
  /// - Parameter orLess: so many as there are, then.
  static func evict<E>(_ idle: [Idle<E>], for bytes: Int, orLess: Bool = false) -> [Idle<E>] {
    var left = bytes
    var chosen: [Idle<E>] = []
    for candidate in idle.sorted(by: { $0.weight > $1.weight }) {
      guard left > 0 else { break }
      guard candidate.bytes > 0 else { continue }
      chosen.append(candidate)
      left -= candidate.bytes
    }
    return left > 0 && !orLess ? [] : chosen
  }
}

extension MemoryAdmission.Idle {
  fileprivate var weight: Double { Double(bytes) * Double(age) }
}

/// The memory of one host, for all who start environments there.
final class HostMemoryGate: Sendable {
  private struct State {
    var admission: MemoryAdmission
    var figures: (figures: MemoryFigures, readAt: UInt64)?
  }

  private let host: any HostMemory
  private let state: Mutex<State>
  /// Nanoseconds for which figures are good: a burst of starts need not read them each time.
  private static let validity: UInt64 = 20_000_000

  init(_ host: any HostMemory, reserve: ByteCount?) {
    self.host = host
    state = Mutex(State(admission: MemoryAdmission(reserve: reserve?.bytes)))
  }

  /// See `MemoryAdmission.missing`; 0 where the host tells nothing.
  func missing(_ bytes: Int, isGreedy: Bool, now: UInt64) -> Int {
    state.withLock { state in
      if state.figures.map({ now &- $0.readAt >= HostMemoryGate.validity }) ?? true {
        state.figures = host.read().map { ($0, now) }
      }
      guard let figures = state.figures?.figures else { return 0 }
      return state.admission.missing(bytes, isGreedy: isGreedy, figures, now: now)
    }
  }

  func started(_ bytes: Int, now: UInt64) { state.withLock { $0.admission.started(bytes, now: now) } }

  func removed(_ bytes: Int, now: UInt64) { state.withLock { $0.admission.removed(bytes, now: now) } }
}

/// proc(5), and the limit of the container that the server is in, if there is one.
package final class KernelMemory: HostMemory {
  /// A file of the kernel's, kept open: each reading from its beginning tells what is so now.
  private struct File {
    let descriptor: CInt

    init(_ path: String) { descriptor = open(path, O_RDONLY | O_CLOEXEC) }

    /// The beginning of it; nil if there is no such file. It has no size before it is read.
    func text(bytes: Int = 512) -> String? {
      guard descriptor >= 0 else { return nil }
      let text = String(unsafeUninitializedCapacity: bytes) { max(0, pread(descriptor, $0.baseAddress, $0.count, 0)) }
      return text.isEmpty ? nil : text
    }
  }

  private let memory = File("/proc/meminfo")
  private let pressure = File("/proc/pressure/memory")
  /// Where a container sees its own limit: cgroup v2 and v1. Page cache counts as used there, to be on the safe side.
  private let groups = [
    (limit: File("/sys/fs/cgroup/memory.max"), usage: File("/sys/fs/cgroup/memory.current")),
    (
      limit: File("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
      usage: File("/sys/fs/cgroup/memory/memory.usage_in_bytes")
    ),
  ]

  package init() {}

  deinit {
    for file in [memory, pressure] + groups.flatMap({ [$0.limit, $0.usage] }) where file.descriptor >= 0 {
      close(file.descriptor)
    }
  }

  package func read() -> MemoryFigures? {
    // The two are among the first lines.
    guard let text = memory.text(bytes: 256),
      let total = KernelMemory.kibibytes("MemTotal", in: text),
      let available = KernelMemory.kibibytes("MemAvailable", in: text)
    else { return nil }
    var figures = MemoryFigures(total: total, available: available)
    if let text = pressure.text() { figures.stalled = KernelMemory.stalled(text) }
    for (limit, usage) in groups {
      guard let limit = limit.text().flatMap(KernelMemory.number), limit < total,
        let used = usage.text().flatMap(KernelMemory.number)
      else { continue }
      figures.total = min(figures.total, limit)
      figures.available = min(figures.available, max(0, limit - used))
    }
    return figures
  }

  /// `MemTotal:       24684092 kB`
  static func kibibytes(_ name: String, in text: String) -> Int? {
    value(after: "\(name):", in: text).flatMap { Int($0) }.map { $0 << 10 }
  }

  /// `full avg10=0.00 avg60=…`
  static func stalled(_ text: String) -> Double { value(after: "full avg10=", in: text).flatMap { Double($0) } ?? 0 }

  /// What comes to the next space in the line that begins so. Of bytes: it is asked at each cold start.
  private static func value(after beginning: String, in text: String) -> Substring? {
    var rest = text.utf8[...]
    while !rest.starts(with: beginning.utf8) {
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
      rest = rest[rest.index(after: end)...]
    }
    let space = UInt8(ascii: " ")
    return Substring(rest.dropFirst(beginning.utf8.count).drop { $0 == space }.prefix { $0 != space })
  }

  /// nil for `max`.
  static func number(_ text: String) -> Int? { text.split(separator: "\n").first.flatMap { Int($0) } }
}
