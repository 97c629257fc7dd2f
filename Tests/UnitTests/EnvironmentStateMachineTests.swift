// The execution environment as a value: every legal path, and a million random events.
import Testing

@testable import MartletLambda

@Suite struct EnvironmentStateMachineTests {
  typealias Machine = EnvironmentStateMachine<Int, String>

  @Test func aColdInvocationWaitsForInitialisation() {
    var machine = Machine()
    guard case .wait = machine.assign("a") else { return #expect(Bool(false), "must wait") }
    guard case .initialised(.initialisation, "a") = machine.next(1) else { return #expect(Bool(false)) }
    guard case .accept("a") = machine.answer({ $0 == "a" }) else { return #expect(Bool(false)) }
    #expect(!machine.isFree)
    guard case .finished("a") = machine.next(2) else { return #expect(Bool(false)) }
    #expect(machine.isFree && machine.isParked)
  }

  @Test func aWarmInvocationGoesToTheParkedPoll() {
    var machine = Machine()
    _ = machine.next(1)
    guard case .deliver(1) = machine.assign("a") else { return #expect(Bool(false)) }
    guard case .refuse = machine.assign("b") else { return #expect(Bool(false), "never two at once") }
  }

  @Test func aRuntimeThatAsksAgainGetsTheSameEvent() {
    var machine = Machine()
    _ = machine.next(1)
    _ = machine.assign("a")
    guard case .deliver("a") = machine.next(2) else { return #expect(Bool(false)) }
  }

  @Test func answersAreTakenOnceAndForTheCurrentInvocationOnly() {
    var machine = Machine()
    guard case .wrongState(from: "Started") = machine.answer({ _ in true }) else { return #expect(Bool(false)) }
    _ = machine.next(1)
    guard case .wrongIdentifier = machine.answer({ _ in true }) else { return #expect(Bool(false)) }
    _ = machine.assign("a")
    guard case .wrongIdentifier = machine.answer({ $0 == "b" }) else { return #expect(Bool(false)) }
    guard case .accept = machine.answer({ $0 == "a" }) else { return #expect(Bool(false)) }
    guard case .wrongState(from: "InvocationResponse") = machine.answer({ $0 == "a" }) else {
      return #expect(Bool(false))
    }
  }

  @Test func aFailedInitialisationIsRepeatedWithinTheInvocation() {
    var machine = Machine()
    _ = machine.assign("a")
    guard case .retry("a") = machine.broke(.exited(.code(1))) else { return #expect(Bool(false)) }
    guard case .start("a") = machine.wasReset() else { return #expect(Bool(false)) }
    guard case .fail("a", during: .invocation) = machine.broke(.exited(.code(1))) else { return #expect(Bool(false)) }
    #expect(!machine.isFree)
    guard case .stopped = machine.wasReset() else { return #expect(Bool(false)) }
    guard case .start = machine.assign("b") else { return #expect(Bool(false), "the environment lives on") }
  }

  @Test func nothingIsAllowedAfterAnInitialisationError() {
    var machine = Machine()
    _ = machine.assign("a")
    #expect(machine.initError() == nil)
    guard case .refuse(from: "InitError") = machine.next(1) else { return #expect(Bool(false)) }
    #expect(machine.initError() == "InitError")
    guard case .retry("a") = machine.broke(.exited(.code(1))) else { return #expect(Bool(false)) }
  }

  @Test func aTimeOutResetsAndTheNextInvocationWaitsForTheReset() {
    var machine = Machine()
    _ = machine.next(1)
    _ = machine.assign("a")
    guard case .fail("a", during: nil) = machine.broke(.timedOut) else { return #expect(Bool(false)) }
    guard case .wait = machine.assign("b") else { return #expect(Bool(false)) }
    guard case .ignore = machine.broke(.exited(.signal(9))) else { return #expect(Bool(false), "the kill is no news") }
    guard case .start("b") = machine.wasReset() else { return #expect(Bool(false)) }
  }

  @Test func aBrokenIdleConnectionMayComeBack() {
    var machine = Machine()
    _ = machine.next(1)
    machine.abandoned(1)
    guard case .waitForPoll = machine.assign("a") else { return #expect(Bool(false)) }
    guard case .deliver("a") = machine.next(2) else { return #expect(Bool(false)) }
  }

  @Test func aRestorationBeginsWhenTheRuntimeIsInitialised() {
    var machine = Machine()
    machine.restores = true
    #expect(machine.restoreError() == "Started")
    _ = machine.assign("a")
    guard case .restore(.initialisation) = machine.restoreNext() else { return #expect(Bool(false)) }
    guard case .refuse(from: "Restoring") = machine.restoreNext() else { return #expect(Bool(false)) }
    #expect(machine.isInitialising)
    guard case .initialised(.initialisation, "a") = machine.next(1) else { return #expect(Bool(false)) }
    guard case .refuse(from: "Running") = machine.restoreNext() else { return #expect(Bool(false)) }
    #expect(machine.restoreError() == "Running")
  }

  @Test func whatCannotBeRestoredIsNotTriedAgain() {
    for hasHookFailed in [false, true] {
      var machine = Machine()
      machine.restores = true
      _ = machine.assign("a")
      if hasHookFailed {
        _ = machine.restoreNext()
        #expect(machine.restoreError() == nil)
        guard case .refuse(from: "InitError") = machine.next(1) else { return #expect(Bool(false)) }
      }
      guard case .refuse("a") = machine.broke(.exited(.code(65))) else { return #expect(Bool(false)) }
      guard case .ignore = machine.wasReset() else { return #expect(Bool(false)) }
      #expect(machine.work == nil && !machine.isFree)
    }
  }

  @Test func aCrashAfterTheAnswerEndsTheInvocationWithoutASecondAnswer() {
    var machine = Machine()
    _ = machine.next(1)
    _ = machine.assign("a")
    _ = machine.answer { _ in true }
    guard case .end("a") = machine.broke(.exited(.code(0))) else { return #expect(Bool(false)) }
  }

  @Test func aResponseInPiecesHasABeginningAndAnEnd() {
    var machine = Machine()
    #expect(machine.beginResponse() == nil)
    _ = machine.next(1)
    _ = machine.assign("a")
    #expect(machine.endResponse() == nil)
    #expect(machine.beginResponse() == "a" && machine.beginResponse() == nil)
    guard case .refuse(from: "InvocationResponse") = machine.next(2) else { return #expect(Bool(false)) }
    guard case .wrongState(from: "InvocationResponse") = machine.answer({ _ in true }) else {
      return #expect(Bool(false))
    }
    guard case .refuse = machine.assign("b") else { return #expect(Bool(false), "it is not free yet") }
    #expect(machine.endResponse() == "a" && machine.endResponse() == nil)
    guard case .finished("a") = machine.next(3) else { return #expect(Bool(false)) }
  }

  @Test func aCrashInTheMiddleOfAResponseFailsIt() {
    var machine = Machine()
    _ = machine.next(1)
    _ = machine.assign("a")
    _ = machine.beginResponse()
    guard case .fail("a", during: nil) = machine.broke(.timedOut) else { return #expect(Bool(false)) }
    #expect(machine.endResponse() == nil)
  }

  /// Whatever happens in whatever order: an invocation is answered exactly once, and two are never in it together.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8]) func randomEvents(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<2_000 {
      var machine = Machine()
      machine.restores = random.next() % 2 == 0
      var inside: String?
      var answered: Set<String> = []
      var serial = 0
      func end(_ work: String) { #expect(answered.insert(work).inserted, "\(work) was answered twice") }
      for _ in 0..<60 {
        switch random.next() % 10 {
        case 0, 1:
          serial += 1
          let work = "w\(serial)"
          if case .refuse = machine.assign(work) {
            end(work)
          } else {
            #expect(inside == nil, "\(work) joined \(inside ?? "")")
            inside = work
          }
        case 2, 3:
          switch machine.next(Int(random.next() % 100)) {
          case .finished(let work):
            #expect(answered.contains(work))
            inside = nil
          case .initialised(_, let work?), .deliver(let work): #expect(inside == work && !answered.contains(work))
          default: break
          }
        case 4, 5:
          if case .accept(let work) = machine.answer({ _ in random.next() % 4 != 0 }) { end(work) }
        case 8:
          if random.next() % 2 == 0 {
            _ = machine.beginResponse()
          } else if let work = machine.endResponse() {
            end(work)
          }
        case 6:
          switch machine.broke(random.next() % 2 == 0 ? .timedOut : .exited(.signal(9))) {
          case .fail(let work, _):
            end(work)
            inside = nil
          case .refuse(let work):
            #expect(machine.restores)
            end(work)
            inside = nil
          case .end: inside = nil
          default: break
          }
        case 7:
          switch random.next() % 8 {
          case 0: _ = machine.initError()
          case 1: _ = machine.restoreNext()
          case 2: _ = machine.restoreError()
          default: _ = machine.wasReset()
          }
        default:
          if random.next() % 20 == 0, let (work, was) = machine.remove() {
            #expect(was == answered.contains(work))
            if !was { end(work) }
            inside = nil
          }
        }
      }
      if let (work, was) = machine.remove(), !was { end(work) }
      #expect(answered.count == serial, "\(serial - answered.count) invocations were lost")
    }
  }
}
