// What the requests of durable executions have in common. Nothing runs as one yet, so requests are checked only.
// https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html
import MartletCore
import MartletWire

enum DurableExecutions {
  static let arnPattern = Pattern(
    #"arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+):(\$LATEST(?:\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)"#
  )
  static let tokenPattern = Pattern(#"[A-Za-z0-9+/]+={0,2}"#)
  static let clientTokenPattern = Pattern(#"[\x21-\x7E]+"#)
  static let namePattern = Pattern("[a-zA-Z0-9-_]+")
  private static let operationNamePattern = Pattern(#"[\x20-\x7E]+"#)
  private static let tenantPattern = Pattern(#"[a-zA-Z0-9\._:\/=+\-@ ]+"#)
  private static let statuses = [
    "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "DELETING", "PAUSING", "PAUSED",
  ]

  /// An `ErrorObject`.
  static func readError(_ m: Members) {
    for name in ["ErrorMessage", "ErrorType", "ErrorData"] { _ = m.string(name) }
    _ = m.strings("StackTrace")
  }

  static func readReason(_ m: Members) {
    _ = m.string("ClientToken", .length(1, 64), .pattern(clientTokenPattern))
    _ = m.string("Reason", .length(0, 1024))
  }

  /// An `OperationUpdate`.
  static func readUpdate(_ m: Members) {
    let id: [Constraint] = [.length(1, 64), .pattern(namePattern)]
    _ = m.required("Id", id[0], id[1])
    _ = m.string("ParentId", id[0], id[1])
    _ = m.string("Name", .length(1, 256), .pattern(operationNamePattern))
    _ = m.required("Type", .oneOf(["EXECUTION", "CONTEXT", "STEP", "WAIT", "CALLBACK", "CHAINED_INVOKE"]))
    _ = m.string("SubType", .length(1, 32), .pattern(namePattern))
    _ = m.required("Action", .oneOf(["START", "SUCCEED", "FAIL", "RETRY", "CANCEL"]))
    _ = m.string("Payload", .length(0, 6_291_456))
    if let error = m.object("Error") { readError(error) }
    _ = m.object("ContextOptions")?.bool("ReplayChildren")
    _ = m.object("StepOptions")?.integer("NextAttemptDelaySeconds", in: 1...31_622_400)
    _ = m.object("WaitOptions")?.integer("WaitSeconds", in: 1...31_622_400)
    if let callback = m.object("CallbackOptions") {
      _ = callback.integer("TimeoutSeconds", in: 0...99_999_999)
      _ = callback.integer("HeartbeatTimeoutSeconds", in: 0...99_999_999)
    }
    if let invoke = m.object("ChainedInvokeOptions") {
      _ = invoke.required("FunctionName", .length(1, 256), .pattern(FunctionReference.pattern))
      _ = invoke.string("TenantId", .length(1, 256), .pattern(tenantPattern))
      _ = invoke.string("XAmznTraceId", .length(0, 8192))
    }
  }

  /// The query's repeated `Statuses`.
  static func readStatuses(_ r: Reader) {
    let given = r.queryList("Statuses")
    let shown = "[\(given.joined(separator: ", "))]"
    if given.count > 10 {
      r.violate(
        "Value '\(shown)' at 'statuses' failed to satisfy constraint: "
          + "Member must have length less than or equal to 10")
    }
    if given.contains(where: { !statuses.contains($0) }) {
      r.violate(
        "Value '\(shown)' at 'statuses' failed to satisfy constraint: Member must satisfy constraint: "
          + "[Member must satisfy enum value set: [\(statuses.joined(separator: ", "))]]")
    }
  }
}

extension Reader {
  /// Reads the path's `DurableExecutionArn`; what is wrong with it is recorded.
  func durableExecutionARN() -> String {
    path("DurableExecutionArn", .length(1, 1024), .pattern(DurableExecutions.arnPattern))
  }
}
