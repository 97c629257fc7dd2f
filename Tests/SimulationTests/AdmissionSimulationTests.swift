// Admission under random load on simulated time: no share is ever exceeded, neither at once nor in a stretch of time;
// nobody is refused who has room; every unit comes back.
import MartletCore
import Synchronization
import Testing

@testable import MartletLambda

@Suite struct AdmissionSimulationTests {
  private final class Clock: World {
    let nanoseconds = Mutex<UInt64>(1)
    func now() -> Timestamp { Timestamp(nanoseconds: Int64(monotonic())) }
    func monotonic() -> UInt64 { nanoseconds.withLock { $0 } }
    func random() -> UInt64 { 4 }
  }

  /// A permit is not copyable, and this may be in an array.
  private final class Held {
    let share: String
    let until: UInt64
    private let permit: Permit

    init(_ share: String, until: UInt64, _ permit: consuming Permit) {
      self.share = share
      self.until = until
      self.permit = permit
    }
  }

  private struct Function {
    let name: String
    let reserved: Int?
    let version: Resolved
    var share: String { reserved == nil ? "account" : name }
  }

  private static let rate = 10

  private func functions(_ dice: inout Dice, _ place: Place, concurrency: Int) -> [Function] {
    let reservations = (0..<4).map { index in index < 2 ? nil : Int.random(in: 0...(concurrency / 4), using: &dice) }
    let setAside = reservations.compactMap { $0 }.reduce(0, +)
    return reservations.enumerated().map { index, reserved in
      let id = RequestID(from: StandingWorld(seed: UInt64(index + 1)))
      let configuration = FunctionConfiguration(
        place: place, name: "f\(index)", role: "", code: CodePackage(key: "", sha256: "", size: 0, unpackedSize: 0),
        lastModified: Timestamp(nanoseconds: 0), revisionID: id, incarnation: id)
      var record = FunctionRecord(latest: configuration)
      if let reserved { record.reservedConcurrency[""] = ReservedConcurrency(executions: reserved) }
      return Function(
        name: configuration.name, reserved: reserved, version: Resolved(configuration, record, setAside: setAside))
    }
  }

  @Test(arguments: 1...10) func limitsHold(_ seed: Int) throws {
    var dice = Dice(seed: UInt64(seed))
    let clock = Clock()
    let place = Place(
      account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    var limits = LambdaLimits()
    limits.concurrentExecutions = Int.random(in: 8...60, using: &dice)
    limits.requestRate = AdmissionSimulationTests.rate
    let admission = Admission(limits: limits, world: clock)
    let functions = functions(&dice, place, concurrency: limits.concurrentExecutions)
    let setAside = functions.compactMap(\.reserved).reduce(0, +)
    func limit(_ function: Function) -> Int { function.reserved ?? limits.concurrentExecutions - setAside }
    var held: [Held] = []
    var admitted: [String: [UInt64]] = [:]
    var refusals: [ThrottleReason: Int] = [:]
    for _ in 0..<4000 {
      let now = clock.nanoseconds.withLock { now in
        now += UInt64.random(in: 0...8_000_000, using: &dice)
        return now
      }
      held.removeAll { $0.until <= now }
      guard let function = functions.randomElement(using: &dice) else { continue }
      let running = held.count { $0.share == function.share }
      let lately = admitted[function.share, default: []].count { $0 + 1_000_000_000 > now }
      do throws(ThrottleReason) {
        let permit = try admission.admit(function.version, provisioned: 0)
        let long = UInt64.random(in: 1...300_000_000, using: &dice)
        held.append(Held(function.share, until: now + long, permit))
        admitted[function.share, default: []].append(now)
        #expect(running < limit(function))
        // A burst, and what has come back meanwhile.
        #expect(lately < 2 * limit(function) * AdmissionSimulationTests.rate)
      } catch {
        refusals[error, default: 0] += 1
        switch error {
        case .accountConcurrency, .reservedConcurrency, .reservedZero: #expect(running >= limit(function))
        case .accountRequestRate, .reservedRequestRate:
          #expect(running < limit(function) && lately >= limit(function) * AdmissionSimulationTests.rate / 2)
        default: Issue.record("\(error)")
        }
      }
    }
    held = []
    #expect(admission.inUse(place) == 0)
    #expect(!refusals.isEmpty)
  }
}
