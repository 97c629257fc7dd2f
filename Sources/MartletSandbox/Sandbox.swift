// A sandbox as its users see it: what it is made of, what runs in it, what becomes of it. Knows no Lambda word.
import MartletCore

/// What a sandbox is made of.
package struct SandboxSpecification: Sendable {
  /// One entry of the sandbox's read-only root.
  package enum Mount: Sendable, Equatable {
    /// A directory or file of the host, read-only.
    case bind(source: String, target: String)
    /// A directory of the host, in which the programs may write as its owner, who must not be root.
    case writable(source: String, target: String)
    case symlink(to: String, at: String)
    case directory(String)
    case file(content: String, at: String)
  }

  package struct LinkPort: Sendable, Equatable {
    package let port: Int
    package let isDatagram: Bool

    package init(port: Int, isDatagram: Bool) {
      self.port = port
      self.isDatagram = isDatagram
    }
  }

  /// An address on the loopback interface beside 127.0.0.1; without a network of its own it is 127.0.0.1.
  package static let linkAddress = "169.254.79.129"

  package enum Network: Sendable {
    case loopback
    case outbound
  }

  /// What the processes may use together; files in /tmp do not count.
  package var memory: ByteCount
  /// The size of /tmp.
  package var tmp: ByteCount
  /// Thousandths of a core, once the limit is applied (`SandboxResources.limitCPU`).
  package var cpu: Int
  package var processes: Int
  package var descriptors: Int
  package var hostname: String
  package var mounts: [Mount]
  /// Ports on 127.0.0.1 inside, whose listening sockets come back to the creator.
  package var ports: [Int]
  package var network: Network
  /// Ports on the link-local address inside (`linkAddress`), whose sockets come back after the listeners of `ports`.
  package var linkPorts: [LinkPort] = []
  /// The zygote from which its program will be forked: one that has forked ahead has them in sandboxes half made.
  package var zygote: SandboxID?
  /// The one program that is started in it can be forked into others, which name it as their zygote. It is never reset.
  package var isSnapshot = false
  /// Its processes give way to whoever else wants a processor, until they may compete (`SandboxResources.compete`).
  package var yields = false

  package init(
    memory: ByteCount, tmp: ByteCount, cpu: Int, processes: Int, descriptors: Int, hostname: String, mounts: [Mount],
    ports: [Int], network: Network
  ) {
    self.memory = memory
    self.tmp = tmp
    self.cpu = cpu
    self.processes = processes
    self.descriptors = descriptors
    self.hostname = hostname
    self.mounts = mounts
    self.ports = ports
    self.network = network
  }
}

/// A program to run in a sandbox.
package struct SandboxProgram: Sendable {
  /// The first one is the absolute path of the program.
  package var arguments: [String]
  /// `NAME=VALUE`; nothing else is in the environment.
  package var environment: [String]
  package var workingDirectory: String
  /// The zygote that runs the same program and can be forked. Where that fails, the program is executed.
  package var zygote: SandboxID?
  /// What is grafted upon its directory becomes its directory. One of a sandbox's programs at most.
  package var follows = false

  package init(arguments: [String], environment: [String], workingDirectory: String) {
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
  }
}

/// How a process ended.
package enum ExitStatus: Sendable, Equatable {
  case code(Int)
  case signal(Int)

  /// From the status that wait(2) gives.
  package init(wait status: UInt32) {
    let signal = Int(status & 0x7f)
    self = signal == 0 ? .code(Int(status >> 8) & 0xff) : .signal(signal)
  }
}

/// What happens to a sandbox, told to whoever made it. Calls come one after another, on a thread of the sandbox host.
package protocol SandboxObserver: AnyObject, Sendable {
  func sandboxCreated(_ resources: SandboxResources)
  func sandboxProgramStarted(_ program: UInt32)
  /// `outOfMemory`: the memory limit has killed in this sandbox since its start or last reset.
  func sandboxProgramEnded(_ program: UInt32, _ status: ExitStatus, outOfMemory: Bool)
  /// `newListeners`: in the order of the specification's ports, where the network could not be kept; else empty.
  func sandboxWasReset(newListeners: [CInt])
  func sandboxDestroyed()
  /// A non-blocking socket, which the observer owns from now on; it may be connecting yet.
  func sandboxConnected(_ ticket: UInt32, _ result: Result<CInt, Fault>)
  /// Something that was asked for could not be done; `program` if it was the start of one.
  func sandboxFailed(_ fault: Fault, program: UInt32?)
  /// What `graft` was asked for is done, or why not; then the sandbox is of no use.
  func sandboxGrafted(_ fault: Fault?)
  /// The program of a sandbox that was specified as a snapshot can be forked from now on.
  func sandboxCanBeForked()
}

extension SandboxObserver {
  package func sandboxGrafted(_ fault: Fault?) {}
  package func sandboxCanBeForked() {}
}

/// A number that the host gave to a sandbox.
package struct SandboxID: Hashable, Sendable {
  package let number: UInt32
  package init(number: UInt32) { self.number = number }
}

/// Makes sandboxes. The one implementation talks to `martlet-sandbox`; tests have fakes.
package protocol SandboxHost: AnyObject, Sendable {
  /// What holds on this host, and how that was found out.
  var guarantees: [Guarantee] { get }
  /// False if programs run without a root of their own and see the host's paths.
  var hasOwnRoot: Bool { get }
  /// What most specifications will begin with, in this order: sandboxes that are made ahead have it already.
  func expect(
    mounts: [SandboxSpecification.Mount], ports: [Int], linkPorts: [SandboxSpecification.LinkPort])
  func create(_ specification: SandboxSpecification, observer: any SandboxObserver) -> SandboxID
  /// Standard output and error go to `output`, which stays the caller's to close.
  func start(_ program: SandboxProgram, number: UInt32, in sandbox: SandboxID, output: CInt)
  /// Connects to a port on 127.0.0.1 inside; `sandboxConnected` tells what came of it, with the same ticket.
  func connect(port: Int, ticket: UInt32, in sandbox: SandboxID)
  func signal(_ signal: Int, program: UInt32, in sandbox: SandboxID)
  /// Kills every process and keeps /tmp, network and limits.
  func reset(_ sandbox: SandboxID)
  func destroy(_ sandbox: SandboxID)
  /// Binds directories where a sandbox was made with empty ones; nothing else may be different from what it was made
  /// with. Programs that run there see them. `sandboxGrafted` tells what came of it.
  func graft(_ specification: SandboxSpecification, onto sandbox: SandboxID)
  /// Ends like a sandbox, with `destroy`. Forks of it live on.
  func startZygote(_ specification: ZygoteSpecification, observer: any ZygoteObserver) -> SandboxID
  /// How many forks it shall have ready ahead.
  func setLevel(_ level: Int, of zygote: SandboxID)
  /// How much is ready ahead, and how often it has served since the start.
  func figures() async -> [(name: String, value: Int)]
}

extension SandboxHost {
  package func expect(
    mounts: [SandboxSpecification.Mount], ports: [Int], linkPorts: [SandboxSpecification.LinkPort]
  ) {}
}

/// One promise of isolation.
package struct Guarantee: Sendable, Equatable {
  package let name: String
  package let holds: Bool
  /// How it was checked, or why it does not hold.
  package let how: String

  package init(name: String, holds: Bool, how: String) {
    self.name = name
    self.holds = holds
    self.how = how
  }

  /// Reads `name TAB yes|no TAB how`.
  package init?(line: some StringProtocol) {
    let parts = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1] == "yes" || parts[1] == "no" else { return nil }
    self.init(name: String(parts[0]), holds: parts[1] == "yes", how: String(parts[2]))
  }
}
