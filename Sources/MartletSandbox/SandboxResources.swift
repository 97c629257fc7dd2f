// The descriptors of a sandbox that its user works with directly, without asking the sandbox process.
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

  package enum CPUFormat: Sendable { case v1, v2 }

  /// The period over which a share of cpu is given out, in microseconds.
  static let cpuPeriod = 20_000

  package init(
    listeners: [CInt], freezer: (CInt, StaticString, StaticString)? = nil, cpu: (CInt, CPUFormat)? = nil,
    peak: CInt? = nil, tmp: CInt? = nil
  ) {
    self.listeners = listeners
    listenerPorts = listeners.map { SandboxResources.port(of: $0) }
    self.freezer = freezer.map { (descriptor: $0.0, frozen: $0.1, thawed: $0.2) }
    self.cpu = cpu.map { (descriptor: $0.0, format: $0.1) }
    self.peak = peak
    self.tmp = tmp
  }

  deinit {
    for descriptor in [freezer?.descriptor, cpu?.descriptor, peak, tmp] {
      if let descriptor { close(descriptor) }
    }
  }

  /// True if the processes can be stopped between two pieces of work.
  package var canFreeze: Bool { freezer != nil }

  /// Stops or continues every process. The kernel acts within a fraction of a millisecond.
  package func freeze(_ frozen: Bool) {
    guard let freezer else { return }
    put(frozen ? freezer.frozen : freezer.thawed, to: freezer.descriptor)
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
