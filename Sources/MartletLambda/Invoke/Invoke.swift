// The line: HTTP front → resolve → admission → placement → environment → runtime API → reply.
// Every way of running a function ends here.
import MartletCore
import MartletWire

/// Who runs functions: the line, or what stands in for it where time is simulated.
package protocol FunctionRunner: Sendable {
  /// Runs a function once; see `Line.invoke`.
  func invoke(_ invocation: Invocation) async throws(AWSError) -> Reply
  /// - Throws: what an invocation would be refused with whatever the function's state.
  func check(_ function: FunctionReference, tenant: String?) throws(AWSError)
}

package final class Line: FunctionRunner {
  let functions: FunctionTable
  let known = KnownVersions()
  private let admission: Admission
  package let placement: Placement
  let world: any World
  /// Where functions may run from directories of the host.
  let directories: WatchedDirectories?
  /// Which functions run under a debugger.
  let debugging: DebugSessions?
  /// Where traced invocations are told of; nil = nothing is traced.
  let traces: (any TraceSink)?
  private let inFlight = InFlight()
  /// Counts what did not run.
  private let metrics: LambdaMetrics?

  package init(
    functions: FunctionTable, admission: Admission, placement: Placement, directories: WatchedDirectories? = nil,
    debugging: DebugSessions? = nil, metrics: LambdaMetrics? = nil, traces: (any TraceSink)? = nil, world: any World
  ) {
    self.metrics = metrics
    self.traces = traces
    self.debugging = debugging
    self.directories = directories
    self.world = world
    self.functions = functions
    self.admission = admission
    self.placement = placement
  }

  /// Runs a function once.
  /// - Throws: 404 if there is no such version, 409 if it cannot run now, 429 if there is no room. A function that
  ///   fails does not throw: see `Reply.functionError`.
  package func invoke(_ invocation: Invocation) async throws(AWSError) -> Reply {
    inFlight.enter()
    var goesOn = false
    defer { if !goesOn { inFlight.leave() } }
    // Resolve.swift
    var version =
      if let known = known(invocation.function) { known } else { try await resolve(invocation.function, in: functions) }
    if let directory = version.directory, let directories {
      version = version.running(try await directories.current(version.configuration, in: directory))
    }
    if let session = debugging?.find(invocation.function.key) { version = version.debugged(in: session) }
    try version.configuration.check(tenant: invocation.tenant)  // Tenancy.swift
    var permit: Permit
    let traced: Invocation
    do throws(AWSError) {
      traced = sampled(try self.traced(invocation, version), version)  // Lineage.swift, InvocationTrace.swift
    } catch {
      metrics?.note(.recursiveInvocationsDropped, of: invocation.function)
      throw error
    }
    do throws(ThrottleReason) {
      let provisioned = version.provisionedTotal == 0 ? 0 : placement.provisionedCount(version.configuration)
      // Admission.swift: who may run now
      permit = try await admission.admit(
        version, provisioned: provisioned, isPolled: traced.isPolled, within: Admission.patience,
        on: placement.eventLoop)
    } catch {
      throw refusal(error, traced, version)
    }
    while true {
      let lease: Lease
      do throws(Placement.Refusal) {
        // Placement.swift: provisioned, warm, cold
        lease = try await placement.place(version, permit, invocation.tenant)
      } catch {
        switch error {
        case .throttled(let reason): throw refusal(reason, traced, version)
        case .impossible(let error): throw error
        }
      }
      switch await lease.run(traced) {  // Environment.swift → RuntimeAPI.swift
      case .reply(let reply):
        if let stream = reply.stream {
          goesOn = true
          stream.whenEnded { self.inFlight.leave() }
        }
        return reply
      case .lost(let unused): permit = unused  // it died in our hands: another one
      case .refused(let error): throw error
      }
    }
  }

  /// Every 429 is born here.
  private func refusal(_ reason: ThrottleReason, _ invocation: Invocation, _ version: Resolved) -> AWSError {
    metrics?.note(throttle: reason, of: invocation.function)
    if let trace = invocation.trace {
      traces?.take(trace.refused(invocation, version.configuration, reason, world.now()))
    }
    return .throttled(reason)
  }

  /// Checks all that an invocation checks, and runs nothing.
  package func rehearse(_ function: FunctionReference, tenant: String?) async throws(AWSError) {
    try await resolve(function, in: functions).configuration.check(tenant: tenant)
  }

  package func check(_ function: FunctionReference, tenant: String?) throws(AWSError) {
    try find(function, in: functions).configuration.check(tenant: tenant)
  }

  /// Returns when no invocation is under way.
  package func drain() async { await inFlight.empty() }
}
