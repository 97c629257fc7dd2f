// Why an invocation was refused with 429. AWS's words for it, which callers get, are fewer than the reasons there are.
import MartletCore

/// Found where the refusal is decided: Admission.swift, Placement.swift.
package enum ThrottleReason: String, Error, Sendable, CaseIterable {
  /// What the functions of the account have in common is in use.
  case accountConcurrency = "AccountConcurrency"
  /// What is reserved for the function is in use.
  case reservedConcurrency = "ReservedConcurrency"
  /// Nothing is reserved for the function: it is switched off.
  case reservedZero = "ReservedConcurrencyZero"
  /// The function has grown as fast as it may.
  case scalingRate = "ScalingRate"
  /// The functions of the account have been invoked as often as the concurrency that they have in common allows.
  case accountRequestRate = "AccountRequestRate"
  /// The function has been invoked as often as its reserved concurrency allows.
  case reservedRequestRate = "ReservedRequestRate"
  /// The memory of this host is used up.
  case hostMemory = "HostMemory"
  /// The environments that its capacity provider may have are full.
  case capacityProvider = "CapacityProvider"
  /// A debugger is attached, and has one invocation at a time.
  case debugging = "Debugging"

  /// The `Reason` of the error that the caller gets (reference/invoke.md 2.3).
  package var code: String {
    switch self {
    case .accountConcurrency, .capacityProvider, .hostMemory: "ConcurrentInvocationLimitExceeded"
    case .scalingRate, .accountRequestRate: "FunctionInvocationRateLimitExceeded"
    case .reservedRequestRate: "ReservedFunctionInvocationRateLimitExceeded"
    case .reservedConcurrency, .reservedZero, .debugging: "ReservedFunctionConcurrentInvocationLimitExceeded"
    }
  }

  /// A limit of the function itself: callers are not told when to come back.
  package var isOwn: Bool { code.hasPrefix("ReservedFunction") }

  /// All units are taken, and one that is given back in a moment would do.
  var isOfConcurrency: Bool {
    switch self {
    case .accountConcurrency, .reservedConcurrency, .debugging: true
    default: false
    }
  }

  /// For whoever wonders.
  package var words: String {
    switch self {
    case .accountConcurrency: "all concurrency of the account that is not set aside was in use"
    case .reservedConcurrency: "all of the function's reserved concurrency was in use"
    case .reservedZero: "the function's reserved concurrency is 0"
    case .scalingRate: "it had got as many environments within ten seconds as it may"
    case .accountRequestRate: "functions were invoked more often than the account's concurrency allows (--request-rate)"
    case .reservedRequestRate: "it was invoked more often than its reserved concurrency allows (--request-rate)"
    case .hostMemory: "the host's memory was used up by environments at work (--memory-reserve)"
    case .capacityProvider: "all environments that its capacity provider may have were full"
    case .debugging: "it runs under a debugger, one invocation at a time"
    }
  }
}
