// A program that runs once, in a sandbox of its own, for what it prints: a compiler of packages, a maker of archives.
import Glibc
import MartletCore
import MartletSandbox
import Synchronization

struct SandboxRun {
  /// What it is for, as its failures say.
  let what: String
  let sandboxes: any SandboxHost
  let world: any World
  /// How much it may print.
  let largest: ByteCount
  /// How long it may take.
  let patience: Duration

  /// Runs the program and writes what it prints to a new file; blocks the thread.
  /// - Parameter goesOn: is asked at least ten times a second, with the number of bytes that it has printed.
  /// - Throws: if the program fails, prints too much, or takes too long; then there is no file.
  func output(
    of program: SandboxProgram, in specification: SandboxSpecification, to path: String, goesOn: (_ bytes: Int) -> Bool
  ) throws(Fault) {
    let pipe = try Pipe()
    defer { close(pipe.reader) }
    let ending = try Ending(of: what)
    let sandbox = sandboxes.create(specification, observer: ending)
    defer { sandboxes.destroy(sandbox) }
    sandboxes.start(program, number: 1, in: sandbox, output: pipe.writer)
    close(pipe.writer)
    do throws(Fault) {
      try copy(pipe.reader, to: path, goesOn)
      try ending.wait(within: .seconds(5))
    } catch {
      unlink(path)
      throw error
    }
  }

  private func copy(_ reader: CInt, to path: String, _ goesOn: (Int) -> Bool) throws(Fault) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Fault("make \(path)", errno: errno) }
    defer { close(file) }
    let end = world.monotonic() &+ patience.nanoseconds
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var total = 0
    while true {
      var ready = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
      guard goesOn(total) else { throw Fault(what, "the server ends") }
      guard Int64(bitPattern: end &- world.monotonic()) > 0 else {
        throw Fault(what, "it took longer than \(patience.components.seconds) s")
      }
      // Not longer, to hear of the server's end.
      guard poll(&ready, 1, 100) > 0 else { continue }
      let count = read(reader, &buffer, buffer.count)
      if count == 0 {
        // Half of it after a power failure would look like the whole.
        guard fsync(file) == 0 else { throw Fault("write \(path)", errno: errno) }
        return
      }
      guard count > 0 else { throw Fault(what, errno: errno) }
      total += count
      guard total <= largest.bytes else { throw Fault(what, "the results are too large") }
      var written = 0
      while written < count {
        let now = buffer.withUnsafeBytes { write(file, $0.baseAddress.map { $0 + written }, count - written) }
        guard now > 0 else { throw Fault("write \(path)", errno: errno) }
        written += now
      }
    }
  }

  /// Hears how the program ended.
  private final class Ending: SandboxObserver {
    private let what: String
    private let ended = Mutex<Result<ExitStatus, Fault>?>(nil)
    /// Has something to be read once it has ended.
    private let bell: Pipe

    init(of what: String) throws(Fault) {
      self.what = what
      bell = try Pipe()
    }

    deinit {
      close(bell.reader)
      close(bell.writer)
    }

    /// - Throws: if it ended with a failure, or has not ended within `limit`.
    func wait(within limit: Duration) throws(Fault) {
      var ready = pollfd(fd: bell.reader, events: Int16(POLLIN), revents: 0)
      _ = poll(&ready, 1, CInt(limit.nanoseconds / 1_000_000))
      guard let result = ended.withLock({ $0 }) else { throw Fault(what, "the program did not end") }
      let status = try result.get()
      guard status == .code(0) else { throw Fault(what, "the program ended with \(status)") }
    }

    private func settle(_ result: Result<ExitStatus, Fault>) {
      ended.withLock { $0 = $0 ?? result }
      _ = write(bell.writer, [1], 1)
    }

    func sandboxCreated(_ resources: SandboxResources) {
      for listener in resources.listeners { close(listener) }
    }
    func sandboxProgramStarted(_ program: UInt32) {}
    func sandboxProgramEnded(_ program: UInt32, _ status: ExitStatus, outOfMemory: Bool) { settle(.success(status)) }
    func sandboxWasReset(newListeners: [CInt]) {
      for listener in newListeners { close(listener) }
    }
    func sandboxDestroyed() {}
    func sandboxConnected(_ ticket: UInt32, _ result: Result<CInt, Fault>) {
      if case .success(let descriptor) = result { close(descriptor) }
    }
    func sandboxFailed(_ fault: Fault, program: UInt32?) { settle(.failure(fault)) }
  }
}
