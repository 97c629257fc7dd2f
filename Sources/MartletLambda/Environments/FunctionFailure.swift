// How a failed invocation is told to its caller: AWS's error types and messages (reference/runtime-api.md 1.3).
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

struct FunctionFailure: Equatable {
  /// `Runtime.ExitError`, `Sandbox.Timedout` …
  let type: String
  /// Without the request id.
  let message: String
  /// What REPORT says beside the error type.
  var status = "error"
  /// The runtime itself said what went wrong (`/init/error`), and its words are the answer.
  var isReportedByRuntime = false

  static func exited(_ reason: ExitReason) -> FunctionFailure {
    let text =
      switch reason {
      case .code(0): "Runtime exited without providing a reason"
      case .code(let code): "Runtime exited with error: exit status \(code)"
      case .signal(let number): "Runtime exited with error: signal: \(name(ofSignal: number))"
      case .outOfMemory: "Runtime exited with error: signal: killed"
      }
    return FunctionFailure(type: reason == .outOfMemory ? "Runtime.OutOfMemory" : "Runtime.ExitError", message: text)
  }

  /// How the process of an extension ended.
  static func words(_ status: ExitStatus) -> String {
    switch status {
    case .code(0): "exit code 0"
    case .code(let code): "exit status \(code)"
    case .signal(let number): "signal: \(name(ofSignal: number))"
    }
  }

  static func timedOut(seconds: Int) -> FunctionFailure {
    FunctionFailure(type: "Sandbox.Timedout", message: "Task timed out after \(seconds).00 seconds", status: "timeout")
  }

  /// The response of a function is longer than it may be.
  static func tooLarge(_ limit: ByteCount) -> PayloadStream.Failure {
    let message = "Response payload size exceeded maximum allowed payload size (\(limit.bytes) bytes)."
    let type = "Function.ResponseSizeTooLarge"
    return (type, payload(type: type, message: message))
  }

  static let truncated = "Runtime.TruncatedResponse"
  static let truncatedMessage = "The response of the runtime was cut off"

  /// `{"errorType":…,"errorMessage":"RequestId: … Error: …"}`
  func payload(_ id: RequestID) -> ByteBuffer {
    // Callers match on the type that AWS sends for an out-of-memory kill, which is the one of any kill.
    FunctionFailure.payload(
      type: type == "Runtime.OutOfMemory" ? "Runtime.ExitError" : type, message: "RequestId: \(id) Error: \(message)")
  }

  static func payload(type: String, message: String) -> ByteBuffer {
    var json = JSONWriter()
    json.object { w in
      w.name("errorType")
      w.value(type)
      w.name("errorMessage")
      w.value(message)
    }
    return json.buffer
  }

  /// The words that follow "signal: ".
  private static func name(ofSignal number: Int) -> String {
    let names = [
      1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap", 6: "aborted",
      7: "bus error", 8: "floating point exception", 9: "killed", 10: "user defined signal 1", 11: "segmentation fault",
      12: "user defined signal 2", 13: "broken pipe", 14: "alarm clock", 15: "terminated",
      24: "CPU time limit exceeded",
      25: "file size limit exceeded", 31: "bad system call",
    ]
    return names[number] ?? "signal \(number)"
  }
}
