// Extensions as a value: who may register, when all are in `/next`, who is told of what; and the shutdown phase.
import MartletCore
import Testing

@testable import MartletLambda

@Suite struct ExtensionsStateMachineTests {
  typealias Machine = ExtensionsStateMachine<Int>

  private func id() -> RequestID { RequestID(from: RealWorld()) }

  @Test func theRuntimeStartsWhenTheLastExternalExtensionHasRegistered() {
    var machine = Machine(external: ["a", "b"])
    #expect(machine.register("b", [.invoke], id: id()) == .accepted(startsRuntime: false))
    #expect(machine.register("inside", [], id: id()) == .accepted(startsRuntime: false))
    #expect(machine.register("a", [.shutdown], id: id()) == .accepted(startsRuntime: true))
    #expect(
      machine.register("a", [], id: id()) == .refused(.wrongState(from: .registered, to: .registered, name: "a")))
    #expect(machine.register("inside", [], id: id()) == .refused(.nameTaken))
    #expect(machine.register("other", [.shutdown], id: id()) == .refused(.wrongEvent(.shutdown)))
  }

  @Test func tenAndNoMore() {
    var machine = Machine(external: ["a"])
    for i in 0..<9 { #expect(machine.register("i\(i)", [], id: id()) == .accepted(startsRuntime: false)) }
    #expect(machine.register("i9", [], id: id()) == .refused(.tooMany))
    #expect(machine.register("a", [], id: id()) == .accepted(startsRuntime: true))
  }

  @Test func anInvocationIsOverWhenEverybodyIsBack() {
    var machine = Machine(external: ["a", "b"])
    let (a, b) = (id(), id())
    _ = machine.register("a", [.invoke], id: a)
    _ = machine.register("b", [], id: b)
    #expect(machine.next(a, 1) == .parked)
    #expect(machine.runtimeIsBack(100, closesRegistration: true) == false, "b is missing")
    #expect(machine.settledPoll() == nil)
    #expect(machine.register("late", [], id: id()) == .refused(.closed))
    #expect(machine.next(b, 2) == .parked)
    #expect(machine.settledPoll() == 100 && machine.settledPoll() == nil)
    #expect(machine.invoke().map(\.poll) == [1], "b wants no invocations")
    #expect(machine.runtimeIsBack(101, closesRegistration: false) == false)
    #expect(machine.next(a, 3) == .parked && machine.settledPoll() == 101)
    #expect(machine.invoke().map(\.poll) == [3])
    #expect(machine.next(a, 4) == .parked)
    #expect(machine.runtimeIsBack(102, closesRegistration: false) == true, "the runtime was the last")
  }

  @Test func aBrokenConnectionLosesNoEvent() {
    var machine = Machine(external: ["a"])
    let a = id()
    _ = machine.register("a", [.invoke, .shutdown], id: a)
    #expect(machine.next(a, 1) == .parked && machine.abandoned(1) == true && machine.abandoned(1) == false)
    #expect(machine.isSettled, "it has been in /next")
    #expect(machine.invoke().isEmpty)
    #expect(machine.next(a, 2) == .deliver(.invoke))
    #expect(machine.next(a, 3) == .parked)
    _ = machine.abandoned(3)
    #expect(machine.shutDown().isEmpty && machine.next(a, 4) == .deliver(.shutdown))
  }

  @Test func errorsAreLegalWhereTheyBelong() {
    var machine = Machine(external: ["a"])
    let a = id()
    #expect(machine.next(a, 1) == .refused(.unknown) && machine.initError(a) == .refused(.unknown))
    _ = machine.register("a", [.shutdown], id: a)
    #expect(machine.shutdownListeners == ["a"])
    _ = machine.next(a, 1)
    #expect(machine.initError(a) == .refused(.wrongState(from: .ready, to: .initError, name: "a")))
    #expect(machine.exitError(a) == .accepted(name: "a"))
    #expect(machine.next(a, 2) == .refused(.wrongState(from: .exitError, to: .ready, name: "a")))
    #expect(machine.shutdownListeners.isEmpty && machine.shutDown().isEmpty)
  }

  // MARK: - The shutdown phase

  private func shutdown(
    _ participants: ShutdownStateMachine.Participants, _ alive: Set<String> = [], listeners: Set<String> = []
  ) -> ShutdownStateMachine {
    ShutdownStateMachine(participants, extensions: alive, listeners: listeners, now: 1_000)
  }

  @Test func withoutExtensionsTheEndIsNow() {
    var machine = shutdown(.none)
    #expect(machine.begin(runtimeIsAlive: true) == [.finish])
  }

  @Test func withInternalExtensionsTheRuntimeHasHalfASecond() {
    var machine = shutdown(.internalOnly)
    #expect(machine.begin(runtimeIsAlive: true) == [.terminateRuntime, .wait(until: 500_001_000)])
    var patient = machine
    #expect(machine.runtimeEnded() == [.finish] && machine.runtimeEnded().isEmpty)
    #expect(patient.timePassed() == [.killRuntime, .finish])
  }

  @Test func externalExtensionsAreToldAfterTheRuntimesEnd() {
    var machine = shutdown(.external, ["a", "b", "c"], listeners: ["a", "b"])
    #expect(machine.begin(runtimeIsAlive: true) == [.terminateRuntime, .wait(until: 600_001_000)])
    #expect(machine.extensionEnded("b").isEmpty, "it is the runtime's time")
    let told: [ShutdownStateMachine.Action] = [
      .kill("c"), .tellExtensions(deadline: 2_000_001_000), .wait(until: 2_000_001_000),
    ]
    var patient = machine
    #expect(machine.runtimeEnded() == told)
    #expect(machine.extensionEnded("c").isEmpty && machine.extensionEnded("a") == [.finish])
    #expect(patient.timePassed() == [.killRuntime] + told && patient.timePassed() == [.finish])
  }

  @Test func nobodyListensToTheEnd() {
    var machine = shutdown(.external, ["a"])
    #expect(machine.begin(runtimeIsAlive: false) == [.finish])
  }
}
