// The server's end of the socket to `martlet-sandbox`: sends orders from any thread, hands answers to the observers.
import CMartlet
import Glibc
import Logging
import MartletCore
import Synchronization

package final class SandboxProcess: SandboxHost {
  package let guarantees: [Guarantee]
  package let hasOwnRoot: Bool
  package let processID: Int32
  private let socket: CInt
  private let log: Logger
  private let state = Mutex(State())

  private struct State {
    var nextID: UInt32 = 1
    var observers: [SandboxID: any SandboxObserver] = [:]
    var zygotes: [SandboxID: any ZygoteObserver] = [:]
    /// Who waits for figures.
    var curious: [CheckedContinuation<[(name: String, value: Int)], Never>] = []
    var isLost = false
    var isClosing = false
  }

  /// Starts the process, with the privilege that the caller has now, and says hello to it.
  /// - Parameters:
  ///   - instance: names this server's control groups, so that the next start can clean up after a crash.
  ///   - exposed: the directories of the host from which sandboxes may be given anything.
  ///   - writable: those in which their programs may write, each if it is given to a sandbox.
  ///   - pool: sandboxes that are half made ahead of demand; with 0 no forks of zygotes wait, either.
  package init(
    executable: String, isolated: Bool, instance: String, exposed: [String], writable: [String] = [], pool: Int,
    log: Logger
  ) throws(Fault) {
    var pair: [CInt] = [-1, -1]
    let made = cm_packet_pair(&pair)
    guard made == 0 else { throw Fault("socket pair", errno: -made) }
    var arguments = [
      executable, "--fd", "3", "--isolation", isolated ? "full" : "none", "--name", instance, "--pool",
      String(pool),
    ]
    for directory in exposed { arguments += ["--expose", directory] }
    for directory in writable { arguments += ["--writable", directory] }
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    processID = cm_start(executable, &pointers, pair[1])
    Glibc.close(pair[1])
    guard processID > 0 else {
      Glibc.close(pair[0])
      throw Fault(
        "start \(executable)", errno: -processID, "it must lie beside martlet, or MARTLET_SANDBOX must name it")
    }
    socket = pair[0]
    self.log = log
    hasOwnRoot = isolated
    var hello = SandboxPacketWriter(SBX_HELLO, sandbox: 0)
    hello.field(SBX_TAG_VERSION, number: UInt32(SBX_VERSION))
    let sent = cm_send_packet(socket, hello.bytes, hello.bytes.count, nil, 0)
    guard sent == 0, let (welcome, _) = SandboxProcess.receive(from: socket) else {
      Glibc.close(socket)
      throw Fault("start \(executable)", "it ended before it answered; if it said why, that stands above")
    }
    guard welcome.type == SBX_WELCOME.rawValue, welcome.number(SBX_TAG_VERSION) == UInt32(SBX_VERSION) else {
      Glibc.close(socket)
      throw Fault(
        "start \(executable)", "it did not answer as this version of martlet expects; is it from the same build?")
    }
    guarantees = welcome.texts(SBX_TAG_GUARANTEE).compactMap { Guarantee(line: $0) }
  }

  /// Delivers answers until the socket is closed, on a thread of its own. `lost` is called if the process ends by
  /// itself.
  package func deliver(lost: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Delivery(process: self, lost: lost))
    pthread_create(
      &thread, nil,
      { raw in
        let delivery = Unmanaged<Delivery>.fromOpaque(raw!).takeRetainedValue()
        delivery.process.receiveAll()
        if !delivery.process.state.withLock({ $0.isClosing }) { delivery.lost() }
        return nil
      }, context.toOpaque())
    pthread_detach(thread)
  }

  private final class Delivery: Sendable {
    let process: SandboxProcess
    let lost: @Sendable () -> Void
    init(process: SandboxProcess, lost: @escaping @Sendable () -> Void) {
      self.process = process
      self.lost = lost
    }
  }

  /// Lets the process go: it kills every sandbox, removes what it made, and ends. Waits for that.
  package func close() {
    state.withLock { $0.isClosing = true }
    shutdown(socket, CInt(SHUT_RDWR))
    var status: CInt = 0
    while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
  }

  package func create(_ specification: SandboxSpecification, observer: any SandboxObserver) -> SandboxID {
    let id = state.withLock { state in
      let id = SandboxID(number: state.nextID)
      state.nextID += 1
      state.observers[id] = observer
      return id
    }
    var packet = SandboxProcess.packet(SBX_CREATE, id, specification)
    if let zygote = specification.zygote { packet.field(SBX_TAG_ZYGOTE, number: zygote.number) }
    if specification.isSnapshot { packet.field(SBX_TAG_SNAPSHOT, number: UInt32(1)) }
    if specification.yields { packet.field(SBX_TAG_YIELDS, number: UInt32(1)) }
    send(packet, about: id)
    return id
  }

  package func expect(
    mounts: [SandboxSpecification.Mount], ports: [Int], linkPorts: [SandboxSpecification.LinkPort]
  ) {
    var packet = SandboxPacketWriter(SBX_BASE, sandbox: 0)
    for mount in mounts { packet.field(mount) }
    for port in ports { packet.field(SBX_TAG_LISTEN, number: UInt16(port)) }
    for link in linkPorts { packet.field(link) }
    send(packet, about: SandboxID(number: 0))
  }

  package func graft(_ specification: SandboxSpecification, onto sandbox: SandboxID) {
    send(SandboxProcess.packet(SBX_GRAFT, sandbox, specification), about: sandbox)
  }

  private static func packet(
    _ type: sbx_type, _ id: SandboxID, _ specification: SandboxSpecification
  ) -> SandboxPacketWriter {
    var packet = SandboxPacketWriter(type, sandbox: id.number)
    packet.field(SBX_TAG_MEMORY, number: UInt64(specification.memory.bytes))
    packet.field(SBX_TAG_TMP, number: UInt64(specification.tmp.bytes))
    packet.field(SBX_TAG_CPU, number: UInt32(specification.cpu))
    packet.field(SBX_TAG_PIDS, number: UInt32(specification.processes))
    packet.field(SBX_TAG_NOFILE, number: UInt32(specification.descriptors))
    packet.field(SBX_TAG_HOSTNAME, specification.hostname)
    let network = specification.network == .outbound ? SBX_NETWORK_OUTBOUND : SBX_NETWORK_LOOPBACK
    packet.field(SBX_TAG_NETWORK, number: network.rawValue)
    for mount in specification.mounts { packet.field(mount) }
    for port in specification.ports { packet.field(SBX_TAG_LISTEN, number: UInt16(port)) }
    for link in specification.linkPorts { packet.field(link) }
    return packet
  }

  package func start(_ program: SandboxProgram, number: UInt32, in sandbox: SandboxID, output: CInt) {
    var packet = SandboxPacketWriter(SBX_SPAWN, sandbox: sandbox.number)
    packet.field(SBX_TAG_PROCESS, number: number)
    packet.field(program)
    if let zygote = program.zygote { packet.field(SBX_TAG_ZYGOTE, number: zygote.number) }
    if program.follows { packet.field(SBX_TAG_FOLLOWS, number: UInt32(1)) }
    send(packet, about: sandbox, descriptors: [output], program: number)
  }

  package func startZygote(_ specification: ZygoteSpecification, observer: any ZygoteObserver) -> SandboxID {
    let id = state.withLock { state in
      let id = SandboxID(number: state.nextID)
      state.nextID += 1
      state.zygotes[id] = observer
      return id
    }
    var packet = SandboxPacketWriter(SBX_ZYGOTE, sandbox: id.number)
    for mount in specification.mounts { packet.field(mount) }
    packet.field(specification.program)
    send(packet, about: id)
    return id
  }

  package func setLevel(_ level: Int, of zygote: SandboxID) {
    var packet = SandboxPacketWriter(SBX_LEVEL, sandbox: zygote.number)
    packet.field(SBX_TAG_LEVEL, number: UInt32(level))
    send(packet, about: zygote)
  }

  package func figures() async -> [(name: String, value: Int)] {
    await withCheckedContinuation { continuation in
      let isLost = state.withLock { state in
        if !state.isLost { state.curious.append(continuation) }
        return state.isLost
      }
      if isLost { return continuation.resume(returning: []) }
      send(SandboxPacketWriter(SBX_FIGURES, sandbox: 0), about: SandboxID(number: 0))
    }
  }

  private func tell(_ figures: [(name: String, value: Int)]) {
    let curious = state.withLock { state in
      defer { state.curious = [] }
      return state.curious
    }
    for continuation in curious { continuation.resume(returning: figures) }
  }

  package func connect(port: Int, ticket: UInt32, in sandbox: SandboxID) {
    var packet = SandboxPacketWriter(SBX_CONNECT, sandbox: sandbox.number)
    packet.field(SBX_TAG_PROCESS, number: ticket)
    packet.field(SBX_TAG_LISTEN, number: UInt16(port))
    send(packet, about: sandbox)
  }

  package func signal(_ signal: Int, program: UInt32, in sandbox: SandboxID) {
    var packet = SandboxPacketWriter(SBX_SIGNAL, sandbox: sandbox.number)
    packet.field(SBX_TAG_PROCESS, number: program)
    packet.field(SBX_TAG_SIGNO, number: UInt32(signal))
    send(packet, about: sandbox)
  }

  package func reset(_ sandbox: SandboxID) {
    send(SandboxPacketWriter(SBX_RESET, sandbox: sandbox.number), about: sandbox)
  }

  package func destroy(_ sandbox: SandboxID) {
    send(SandboxPacketWriter(SBX_DESTROY, sandbox: sandbox.number), about: sandbox)
  }

  private func send(
    _ packet: SandboxPacketWriter, about sandbox: SandboxID, descriptors: [CInt] = [], program: UInt32? = nil
  ) {
    let result =
      packet.bytes.count > Int(SBX_MAX_MESSAGE)
      ? -EMSGSIZE : cm_send_packet(socket, packet.bytes, packet.bytes.count, descriptors, descriptors.count)
    if result != 0 {
      if let zygote = state.withLock({ $0.zygotes.removeValue(forKey: sandbox) }) {
        return zygote.zygoteEnded(sandbox, Fault("order to martlet-sandbox", errno: -result))
      }
      state.withLock { $0.observers[sandbox] }?.sandboxFailed(
        Fault("order to martlet-sandbox", errno: -result), program: program)
    }
  }

  private static func receive(from socket: CInt) -> (SandboxPacket, [CInt])? {
    withUnsafeTemporaryAllocation(byteCount: Int(SBX_MAX_MESSAGE), alignment: 8) { buffer in
      var descriptors = [CInt](repeating: -1, count: Int(SBX_MAX_FDS))
      var count = 0
      let length = cm_receive_packet(socket, buffer.baseAddress, buffer.count, &descriptors, &count)
      guard length > 0, let packet = SandboxPacket(UnsafeRawBufferPointer(rebasing: buffer[0..<length])) else {
        return nil
      }
      return (packet, Array(descriptors[0..<count]))
    }
  }

  private func receiveAll() {
    while let (packet, descriptors) = SandboxProcess.receive(from: socket) { deliver(packet, descriptors) }
    state.withLock { $0.isLost = true }
    tell([])
  }

  /// True if the packet was about a zygote.
  private func deliver(_ packet: SandboxPacket, to id: SandboxID) -> Bool {
    let isEnd = packet.type != SBX_ZYGOTE_READY.rawValue
    guard let zygote = state.withLock({ isEnd ? $0.zygotes.removeValue(forKey: id) : $0.zygotes[id] }) else {
      return false
    }
    switch packet.type {
    case SBX_ZYGOTE_READY.rawValue: zygote.zygoteIsUp(id)
    case SBX_DESTROYED.rawValue: zygote.zygoteEnded(id, nil)
    default: zygote.zygoteEnded(id, SandboxProcess.fault(packet))
    }
    return true
  }

  private static func fault(_ packet: SandboxPacket) -> Fault {
    Fault(packet.text(SBX_TAG_STAGE) ?? "martlet-sandbox", errno: Int32(packet.number(SBX_TAG_ERRNO) ?? 0))
  }

  /// Nothing happens in a sandbox that is gone, or was not made.
  private static func isLast(_ packet: SandboxPacket) -> Bool {
    packet.type == SBX_DESTROYED.rawValue
      || packet.type == SBX_FAILED.rawValue && packet.number(SBX_TAG_REQUEST) == SBX_CREATE.rawValue
  }

  private func deliver(_ packet: SandboxPacket, _ descriptors: [CInt]) {
    let id = SandboxID(number: packet.sandbox)
    if packet.type == SBX_FIGURES_ARE.rawValue {
      return tell(
        packet.texts(SBX_TAG_FIGURE).compactMap { line in
          let parts = line.split(separator: "\t")
          return parts.count == 2 ? Int(parts[1]).map { (String(parts[0]), $0) } : nil
        })
    }
    if deliver(packet, to: id) { return }
    let observer = state.withLock { state in
      SandboxProcess.isLast(packet) ? state.observers.removeValue(forKey: id) : state.observers[id]
    }
    guard let observer else {
      for descriptor in descriptors { Glibc.close(descriptor) }
      log.debug("answer for an unknown sandbox", metadata: ["sandbox": "\(packet.sandbox)", "type": "\(packet.type)"])
      return
    }
    switch packet.type {
    case SBX_CREATED.rawValue:
      observer.sandboxCreated(SandboxProcess.resources(packet.bytes(SBX_TAG_FD_KINDS) ?? [], descriptors))
    case SBX_SPAWNED.rawValue: observer.sandboxProgramStarted(packet.number(SBX_TAG_PROCESS) ?? 0)
    case SBX_EXITED.rawValue:
      observer.sandboxProgramEnded(
        packet.number(SBX_TAG_PROCESS) ?? 0, ExitStatus(wait: packet.number(SBX_TAG_STATUS) ?? 0),
        outOfMemory: packet.number(SBX_TAG_OOM) == 1)
    case SBX_RESET_DONE.rawValue: observer.sandboxWasReset(newListeners: descriptors)
    case SBX_DESTROYED.rawValue: observer.sandboxDestroyed()
    case SBX_GRAFTED.rawValue: observer.sandboxGrafted(nil)
    case SBX_ZYGOTE_READY.rawValue: observer.sandboxCanBeForked()
    case SBX_CONNECTED.rawValue:
      let ticket = packet.number(SBX_TAG_PROCESS) ?? 0
      observer.sandboxConnected(
        ticket, descriptors.first.map { .success($0) } ?? .failure(Fault("connect", errno: EIO)))
    default:
      let fault = SandboxProcess.fault(packet)
      if packet.number(SBX_TAG_REQUEST) == SBX_CONNECT.rawValue {
        return observer.sandboxConnected(packet.number(SBX_TAG_PROCESS) ?? 0, .failure(fault))
      }
      if packet.number(SBX_TAG_REQUEST) == SBX_GRAFT.rawValue { return observer.sandboxGrafted(fault) }
      let isSpawn = packet.number(SBX_TAG_REQUEST) == SBX_SPAWN.rawValue
      observer.sandboxFailed(fault, program: isSpawn ? packet.number(SBX_TAG_PROCESS) : nil)
    }
  }

  private static func resources(_ kinds: [UInt8], _ descriptors: [CInt]) -> SandboxResources {
    var listeners: [CInt] = []
    var freezer: (CInt, StaticString, StaticString)?
    var cpu: (CInt, SandboxResources.CPUFormat)?
    var peak: CInt?
    var tmp: CInt?
    var idle: CInt?
    for (kind, descriptor) in zip(kinds, descriptors) {
      switch UInt32(kind) {
      case SBX_FD_LISTENER.rawValue: listeners.append(descriptor)
      case SBX_FD_FREEZE_V1.rawValue: freezer = (descriptor, "FROZEN", "THAWED")
      case SBX_FD_FREEZE_V2.rawValue: freezer = (descriptor, "1", "0")
      case SBX_FD_CPU_V1.rawValue: cpu = (descriptor, .v1)
      case SBX_FD_CPU_V2.rawValue: cpu = (descriptor, .v2)
      case SBX_FD_MEMORY_PEAK.rawValue: peak = descriptor
      case SBX_FD_TMP.rawValue: tmp = descriptor
      case SBX_FD_CPU_IDLE.rawValue: idle = descriptor
      default: Glibc.close(descriptor)
      }
    }
    return SandboxResources(listeners: listeners, freezer: freezer, cpu: cpu, peak: peak, tmp: tmp, idle: idle)
  }
}
