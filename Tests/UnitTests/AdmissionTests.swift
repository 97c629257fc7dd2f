// Who is admitted: shares of concurrency never exceed their limits, and permits give themselves back.
import MartletCore
import MartletLambda
import NIOCore
import NIOPosix
import Testing

@Suite struct AdmissionTests {
  private static let account = Place(
    account: Account("111111111111") ?? { preconditionFailure() }(),
    region: Region("us-east-1") ?? { preconditionFailure() }())
  private static let incarnation = RequestID(from: RealWorld())

  private func limits(_ concurrency: Int) -> LambdaLimits {
    var limits = LambdaLimits()
    limits.concurrentExecutions = concurrency
    return limits
  }

  private func function(
    _ name: String, reserved: Int? = nil, provisioned: Int = 0, setAside: Int = 0, incarnation: RequestID? = nil
  ) -> Resolved {
    let configuration = FunctionConfiguration(
      place: AdmissionTests.account, name: name, role: "",
      code: CodePackage(key: "", sha256: "", size: 0, unpackedSize: 0), lastModified: Timestamp(nanoseconds: 0),
      revisionID: AdmissionTests.incarnation, incarnation: incarnation ?? AdmissionTests.incarnation)
    var record = FunctionRecord(latest: configuration)
    if let reserved { record.reservedConcurrency[""] = ReservedConcurrency(executions: reserved) }
    if provisioned > 0 {
      record.provisioned["1"] = ProvisionedConcurrencyConfig(
        requested: provisioned, lastModified: Timestamp(nanoseconds: 0))
    }
    return Resolved(configuration, record, setAside: setAside)
  }

  /// Why an invocation is refused; nil if it is admitted (and its permit given back at once).
  private func refusal(_ admission: Admission, _ version: Resolved, provisioned: Int = 0) -> String? {
    do throws(ThrottleReason) {
      _ = try admission.admit(version, provisioned: provisioned)
      return nil
    } catch {
      return error.rawValue
    }
  }

  @Test func permitsGiveThemselvesBack() throws {
    let admission = Admission(limits: limits(2), world: RealWorld())
    let f = function("f")
    do {
      let first = try admission.admit(f, provisioned: 0)
      let second = try admission.admit(f, provisioned: 0)
      #expect(admission.inUse(AdmissionTests.account) == 2)
      #expect(refusal(admission, f) == "AccountConcurrency")
      _ = consume first
      #expect(admission.inUse(AdmissionTests.account) == 1)
      _ = consume second
    }
    #expect(admission.inUse(AdmissionTests.account) == 0)
  }

  @Test func aReservationIsAllThatAFunctionGets() throws {
    let admission = Admission(limits: limits(100), world: RealWorld())
    let f = function("f", reserved: 1)
    let permit = try admission.admit(f, provisioned: 0)
    #expect(refusal(admission, f) == "ReservedConcurrency")
    #expect(refusal(admission, function("g", reserved: 1)) == nil)
    #expect(admission.inUse(AdmissionTests.account) == 0, "a reservation is not taken out of the common share")
    _ = consume permit
    #expect(refusal(admission, f) == nil)
    #expect(
      refusal(admission, function("h", reserved: 0)) == "ReservedConcurrencyZero")
  }

  @Test func whatIsSetAsideIsOutOfReach() throws {
    let admission = Admission(limits: limits(3), world: RealWorld())
    let f = function("f", setAside: 2)
    let permit = try admission.admit(f, provisioned: 0)
    #expect(refusal(admission, f) == "AccountConcurrency")
    _ = consume permit
  }

  @Test func provisionedEnvironmentsAreUsedFirst() throws {
    let admission = Admission(limits: limits(100), world: RealWorld())
    // As recorded from AWS: all of the reservation is provisioned for version 1, so $LATEST is throttled.
    let latest = function("f", reserved: 1, provisioned: 1, incarnation: RequestID(from: RealWorld()))
    let version = function("f", reserved: 1, provisioned: 1)
    #expect(refusal(admission, latest) == "ReservedConcurrency")
    let permit = try admission.admit(version, provisioned: 1)
    #expect(refusal(admission, version, provisioned: 1) == "ReservedConcurrency")
    // Without a reservation the rest spills over into the account's share.
    let other = function("g", provisioned: 1, setAside: 1, incarnation: RequestID(from: RealWorld()))
    let first = try admission.admit(other, provisioned: 1)
    #expect(admission.inUse(AdmissionTests.account) == 0)
    let second = try admission.admit(other, provisioned: 1)
    #expect(admission.inUse(AdmissionTests.account) == 1)
    _ = consume permit
    _ = consume first
    _ = consume second
  }

  /// Whoever has its answer may call again at once, although its runtime is not back yet; nobody else may.
  @Test func whoCallsAgainWaitsForWhatIsEnding() async throws {
    let admission = Admission(limits: limits(100), world: RealWorld())
    let f = function("f", reserved: 1)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    var first = try admission.admit(f, provisioned: 0)
    await #expect(throws: ThrottleReason.self) {
      _ = try await admission.admit(f, provisioned: 0, within: .hours(1), on: loop)
    }
    first.answerIsGiven()
    async let second = isAdmitted(admission, f, within: .hours(1), on: loop)
    while admission.waiting == 0 { await Task.yield() }
    #expect(await !isAdmitted(admission, f, within: .hours(1), on: loop), "one unit is ending, and one waits for it")
    _ = consume first
    #expect(await second)
    #expect(refusal(admission, f) == nil, "and gave its unit back")
  }

  /// Callers get no other words than AWS's.
  @Test func reasonsHaveWordsOfAWS() {
    let known = [
      "ConcurrentInvocationLimitExceeded", "FunctionInvocationRateLimitExceeded",
      "ReservedFunctionConcurrentInvocationLimitExceeded", "ReservedFunctionInvocationRateLimitExceeded",
      "CallerRateLimitExceeded", "ConcurrentSnapshotCreateLimitExceeded",
    ]
    for reason in ThrottleReason.allCases { #expect(known.contains(reason.code), "\(reason)") }
  }

  @Test func requestsHaveARateWhereThatIsAskedFor() throws {
    let world = HandMovedWorld()
    var limits = limits(3)
    limits.requestRate = 10
    let admission = Admission(limits: limits, world: world)
    func refusals(_ count: Int, _ version: Resolved, provisioned: Int = 0) -> [String?] {
      (0..<count).map { _ in refusal(admission, version, provisioned: provisioned) }
    }
    let reserved = function("r", reserved: 2)
    #expect(refusals(21, reserved) == [String?](repeating: nil, count: 20) + ["ReservedRequestRate"])
    let common = function("f")
    #expect(refusals(31, common) == [String?](repeating: nil, count: 30) + ["AccountRequestRate"])
    #expect(refusals(1, function("g")) == ["AccountRequestRate"], "the account's is common to all without reservation")
    // Pollers are not counted, but at once there are no more of them than of others.
    let polled = try admission.admit(reserved, provisioned: 0, isPolled: true)
    _ = consume polled
    world.pass(.milliseconds(50))
    #expect(refusals(2, reserved) == [nil, "ReservedRequestRate"])
    // Ten a second for each provisioned environment, and then it spills over.
    world.pass(.seconds(10))
    let version = function("p", provisioned: 1, setAside: 1, incarnation: RequestID(from: RealWorld()))
    #expect(refusals(10, version, provisioned: 1).allSatisfy { $0 == nil })
    #expect(refusals(21, version, provisioned: 1) == [String?](repeating: nil, count: 20) + ["AccountRequestRate"])
  }

  @Test func sharesOfManyFunctionsAreForgotten() {
    let world = HandMovedWorld()
    var limits = limits(1000)
    limits.requestRate = 10
    let admission = Admission(limits: limits, world: world)
    for number in 0..<10_000 {
      #expect(refusal(admission, function("f\(number)", reserved: 1)) == nil)
      world.pass(.milliseconds(1))
    }
    #expect(admission.shareCount < 2048)
  }

  @Test func patienceEnds() async throws {
    let admission = Admission(limits: limits(1), world: RealWorld())
    let f = function("f")
    var first = try admission.admit(f, provisioned: 0)
    first.answerIsGiven()
    #expect(await !isAdmitted(admission, f, within: .nanoseconds(1), on: MultiThreadedEventLoopGroup.singleton.next()))
    #expect(admission.waiting == 0)
    _ = consume first
    #expect(admission.inUse(AdmissionTests.account) == 0)
  }

  private func isAdmitted(
    _ admission: Admission, _ version: Resolved, within patience: TimeAmount, on loop: any EventLoop
  ) async -> Bool {
    do {
      _ = try await admission.admit(version, provisioned: 0, within: patience, on: loop)
      return true
    } catch {
      return false
    }
  }
}
