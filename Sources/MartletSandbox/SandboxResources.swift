// The descriptors of a sandbox that its user works with directly, without asking the sandbox process.
import Dispatch
import Glibc
import MartletCore
import Synchronization

package final class SandboxResources: Sendable {
  /// Listening sockets, in the order of the specification's ports. Whoever adopts one owns it.
  package let listeners: [CInt]
  /// The ports on which the listeners are.
  package let listenerPorts: [Int]
  private let freezer: (descriptor: CInt, frozen: StaticString, thawed: StaticString)?
  private let cpu: (descriptor: CInt, format: CPUFormat)?
  private let peak: CInt?
  private let tmp: CInt?
  private let idle: CInt?

  package enum CPUFormat: Sendable { case v1, v2 }

  /// The period over which a share of cpu is given out, in microseconds.
  static let cpuPeriod = 20_000

  package init(
    listeners: [CInt], freezer: (CInt, StaticString, StaticString)? = nil, cpu: (CInt, CPUFormat)? = nil,
    peak: CInt? = nil, tmp: CInt? = nil, idle: CInt? = nil
  ) {
    self.listeners = listeners
    listenerPorts = listeners.map { SandboxResources.port(of: $0) }
    self.freezer = freezer.map { (descriptor: $0.0, frozen: $0.1, thawed: $0.2) }
    self.cpu = cpu.map { (descriptor: $0.0, format: $0.1) }
    self.peak = peak
    self.tmp = tmp
    self.idle = idle
  }

  deinit {
    for descriptor in [freezer?.descriptor, cpu?.descriptor, peak, tmp, idle] {
      if let descriptor { close(descriptor) }
    }
  }

  /// True if the processes can be stopped between two pieces of work.
  package var canFreeze: Bool { freezer != nil }

  private enum Freezing: UInt8, AtomicRepresentable {
    case thawed
    /// The other thread is asked to freeze it.
    case wanted
    /// It is about to.
    case freezing
    case frozen
    /// It is about to, and nobody wants that any more: it thaws it again.
    case unwanted
  }
  private let freezing = Atomic(Freezing.thawed)
  /// Who freezes may have to wait until the kernel has made or removed somebody's cgroup, which takes milliseconds.
  static let freezerThread = DispatchQueue(label: "martlet.freezer")

  /// Stops every process, soon and on another thread.
  package func freeze() {
    guard let freezer, change(.thawed, .wanted) else { return }
    SandboxResources.freezerThread.async {
      guard self.change(.wanted, .freezing) else { return }
      self.put(freezer.frozen, to: freezer.descriptor)
      if self.change(.freezing, .frozen) { return }
      self.put(freezer.thawed, to: freezer.descriptor)
      self.freezing.store(.thawed, ordering: .sequentiallyConsistent)
    }
  }

  /// Continues every process. They run when this returns, or as soon as the other thread has noticed.
  package func thaw() {
    guard let freezer, !cancelFreezing(), change(.frozen, .thawed) else { return }
    put(freezer.thawed, to: freezer.descriptor)
  }

  /// What is to be frozen is not, from now on: its sandbox is about to end, say, and what is frozen may not be able to.
  /// - Returns: false if there is nothing to cancel.
  @discardableResult package func cancelFreezing() -> Bool {
    change(.wanted, .thawed) || change(.freezing, .unwanted)
  }

  private func change(_ from: Freezing, _ to: Freezing) -> Bool {
    freezing.compareExchange(expected: from, desired: to, ordering: .sequentiallyConsistent).exchanged
  }

  /// Gives the processes `thousandths` of a core from now on; nil lifts the limit.
  package func limitCPU(_ thousandths: Int?) {
    guard let cpu else { return }
    let quota = thousandths.map { String(max(1_000, $0 * SandboxResources.cpuPeriod / 1000)) }
    let text =
      switch cpu.format {
      case .v1: quota ?? "-1"
      case .v2: "\(quota ?? "max") \(SandboxResources.cpuPeriod)"
      }
    _ = text.withCString { pwrite(cpu.descriptor, $0, strlen($0), 0) }
  }

  /// The processes want processors as all others do from now on, if they were made to yield
  /// (`SandboxSpecification.yields`).
  package func compete() {
    guard let idle else { return }
    put("0", to: idle)
  }

  /// The most memory that the processes have used at one time, without files in /tmp as far as that can be told.
  /// nil where the host does not count it.
  package func peakMemory() -> ByteCount? {
    guard let peak else { return nil }
    var text = [UInt8](repeating: 0, count: 32)
    let count = pread(peak, &text, text.count, 0)
    guard count > 0 else { return nil }
    var bytes = 0
    for byte in text[0..<count] where (48...57).contains(byte) { bytes = bytes * 10 + Int(byte - 48) }
    return .bytes(max(0, bytes - tmpInUse()))
  }

  private static func port(of listener: CInt) -> Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
    }
    return found == 0 ? Int(UInt16(bigEndian: address.sin_port)) : 0
  }

  private func tmpInUse() -> Int {
    guard let tmp else { return 0 }
    var status = statvfs()
    guard fstatvfs(tmp, &status) == 0 else { return 0 }
    return Int(status.f_blocks - status.f_bfree) * Int(status.f_frsize)
  }

  private func put(_ text: StaticString, to descriptor: CInt) {
    _ = pwrite(descriptor, text.utf8Start, text.utf8CodeUnitCount, 0)
  }
}
