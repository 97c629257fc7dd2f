// One stem cell: who hears of its sandbox, and when.
import MartletCore
import MartletSandbox
import Synchronization
import Testing

@testable import MartletLambda

@Suite struct StemCellTests {
  private final class Host: SandboxHost {
    let guarantees: [Guarantee] = []
    let hasOwnRoot = true
    let started = Mutex(0)
    let destroyed = Mutex<[SandboxID]>([])
    /// No sandbox can be made, which is known before anybody has its number.
    let isBroken: Bool
    init(isBroken: Bool = false) { self.isBroken = isBroken }
    func create(_ specification: SandboxSpecification, observer: any SandboxObserver) -> SandboxID {
      if isBroken { observer.sandboxFailed(Fault("test", "broken"), program: nil) }
      return SandboxID(number: 7)
    }
    func start(_ program: SandboxProgram, number: UInt32, in sandbox: SandboxID, output: CInt) {
      started.withLock { $0 += 1 }
    }
    func signal(_ signal: Int, program: UInt32, in sandbox: SandboxID) {}
    func connect(port: Int, ticket: UInt32, in sandbox: SandboxID) {}
    func reset(_ sandbox: SandboxID) {}
    func destroy(_ sandbox: SandboxID) { destroyed.withLock { $0.append(sandbox) } }
  }

  private final class Heir: SandboxObserver {
    let ended = Mutex<[UInt32]>([])
    func sandboxCreated(_ resources: SandboxResources) {}
    func sandboxProgramStarted(_ program: UInt32) {}
    func sandboxProgramEnded(_ program: UInt32, _ status: MartletSandbox.ExitStatus, outOfMemory: Bool) {
      ended.withLock { $0.append(program) }
    }
    func sandboxWasReset(newListeners: [CInt]) {}
    func sandboxDestroyed() {}
    func sandboxConnected(_ ticket: UInt32, _ result: Result<CInt, Fault>) {}
    func sandboxFailed(_ fault: Fault, program: UInt32?) {}
  }

  private let specification = SandboxSpecification(
    memory: .mebibytes(1), tmp: .mebibytes(1), cpu: 1, processes: 1, descriptors: 1, hostname: "sandbox",
    mounts: [], ports: [], network: .loopback)
  private let program = SandboxProgram(arguments: ["/bin/true"], environment: [], workingDirectory: "/")
  private let host = Host()
  private let heir = Heir()

  /// A cell whose runtime is up; `faults` hears what it says of itself.
  private func cell(_ faults: @escaping @Sendable (Fault?) -> Void = { _ in }) throws -> StemCell {
    let cell = try StemCell { _, fault in faults(fault) }
    cell.start(specification, program, in: host)
    cell.sandboxCreated(SandboxResources(listeners: []))
    cell.sandboxProgramStarted(StemCell.programNumber)
    return cell
  }

  /// Or it would hear of the end of a runtime that it does not know yet, and wait for that runtime for ever.
  @Test func whoTakesItHearsOfAnEndWhenItIsReadyTo() throws {
    let cell = try cell()
    #expect(cell.take())
    cell.sandboxProgramEnded(StemCell.programNumber, .signal(9), outOfMemory: false)
    let inherited = try #require(cell.pass(to: heir))
    #expect(inherited.sandbox == SandboxID(number: 7))
    #expect(heir.ended.withLock { $0 } == [])
    for piece in inherited.news { piece(heir) }
    #expect(heir.ended.withLock { $0 } == [StemCell.programNumber])
  }

  @Test func whatHappensLaterIsTheHeirsAtOnce() throws {
    let cell = try cell()
    #expect(cell.take())
    let inherited = try #require(cell.pass(to: heir))
    #expect(inherited.news.isEmpty)
    cell.sandboxProgramEnded(StemCell.programNumber, .code(0), outOfMemory: false)
    #expect(heir.ended.withLock { $0 } == [StemCell.programNumber])
  }

  @Test func nobodyTakesOneThatHasEnded() throws {
    let faults = Mutex(0)
    let cell = try cell { if $0 != nil { faults.withLock { $0 += 1 } } }
    cell.sandboxProgramEnded(StemCell.programNumber, .signal(9), outOfMemory: false)
    #expect(faults.withLock { $0 } == 1)
    #expect(!cell.take())
    cell.end(in: host)
    #expect(host.destroyed.withLock { $0 } == [SandboxID(number: 7)])
  }

  /// Its output may be somebody else's descriptor by then.
  @Test func nothingIsStartedInWhatFailedBeforeItHadANumber() throws {
    let host = Host(isBroken: true)
    let faults = Mutex(0)
    let cell = try StemCell { cell, fault in
      if fault != nil { faults.withLock { $0 += 1 } }
      cell.end(in: host)
    }
    cell.start(specification, program, in: host)
    #expect(faults.withLock { $0 } == 1)
    #expect(host.started.withLock { $0 } == 0)
    #expect(host.destroyed.withLock { $0 } == [SandboxID(number: 7)])
  }

  /// Somebody waits to hear that: a function is pending until then.
  @Test func aZygoteSaysOnceThatItFailedBeforeItHadANumber() throws {
    let host = Host(isBroken: true)
    let news = Mutex<[String]>([])
    let zygote = try FunctionZygote(in: host) { _, each in
      let text = if case .isNot(nil) = each { "is not" } else { "else" }
      news.withLock { $0.append(text) }
    }
    zygote.start(specification, program)
    zygote.end()
    zygote.sandboxDestroyed()
    #expect(news.withLock { $0 } == ["is not"])
    #expect(host.started.withLock { $0 } == 0)
    #expect(host.destroyed.withLock { $0 } == [SandboxID(number: 7)])
  }

  /// An environment has its cell: if the cell had it for ever, too, neither would ever go, nor their descriptors.
  @Test func theHeirIsLetGoAtTheEnd() throws {
    let cell = try cell()
    #expect(cell.take())
    weak var last: Heir?
    do {
      let heir = Heir()
      last = heir
      _ = cell.pass(to: heir)
    }
    #expect(last != nil)
    cell.sandboxDestroyed()
    #expect(last == nil)
  }
}
