// Who is admitted: shares of concurrency never exceed their limits, and permits give themselves back.
import MartletCore
import MartletLambda
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
    do throws(AWSError) {
      _ = try admission.admit(version, provisioned: provisioned)
      return nil
    } catch {
      return error.members.first { $0.name == "Reason" }?.value
    }
  }

  @Test func permitsGiveThemselvesBack() throws {
    let admission = Admission(limits: limits(2))
    let f = function("f")
    do {
      let first = try admission.admit(f, provisioned: 0)
      let second = try admission.admit(f, provisioned: 0)
      #expect(admission.inUse(AdmissionTests.account) == 2)
      #expect(refusal(admission, f) == "ConcurrentInvocationLimitExceeded")
      _ = consume first
      #expect(admission.inUse(AdmissionTests.account) == 1)
      _ = consume second
    }
    #expect(admission.inUse(AdmissionTests.account) == 0)
  }

  @Test func aReservationIsAllThatAFunctionGets() throws {
    let admission = Admission(limits: limits(100))
    let f = function("f", reserved: 1)
    let permit = try admission.admit(f, provisioned: 0)
    #expect(refusal(admission, f) == "ReservedFunctionConcurrentInvocationLimitExceeded")
    #expect(refusal(admission, function("g", reserved: 1)) == nil)
    #expect(admission.inUse(AdmissionTests.account) == 0, "a reservation is not taken out of the common share")
    _ = consume permit
    #expect(refusal(admission, f) == nil)
    #expect(
      refusal(admission, function("h", reserved: 0)) == "ReservedFunctionConcurrentInvocationLimitExceeded")
  }

  @Test func whatIsSetAsideIsOutOfReach() throws {
    let admission = Admission(limits: limits(3))
    let f = function("f", setAside: 2)
    let permit = try admission.admit(f, provisioned: 0)
    #expect(refusal(admission, f) == "ConcurrentInvocationLimitExceeded")
    _ = consume permit
  }

  @Test func provisionedEnvironmentsAreUsedFirst() throws {
    let admission = Admission(limits: limits(100))
    // As recorded from AWS: all of the reservation is provisioned for version 1, so $LATEST is throttled.
    let latest = function("f", reserved: 1, provisioned: 1, incarnation: RequestID(from: RealWorld()))
    let version = function("f", reserved: 1, provisioned: 1)
    #expect(refusal(admission, latest) == "ReservedFunctionConcurrentInvocationLimitExceeded")
    let permit = try admission.admit(version, provisioned: 1)
    #expect(refusal(admission, version, provisioned: 1) == "ReservedFunctionConcurrentInvocationLimitExceeded")
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
}
