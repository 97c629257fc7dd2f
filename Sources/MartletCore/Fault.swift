// The error that only the operator sees: Martlet or its host failed.

/// A failure of the platform: which stage, the errno if there was one, and the cause in words.
package struct Fault: Error, Sendable, Equatable, CustomStringConvertible {
  package let stage: String
  package let errno: Int32
  package let cause: String

  package init(_ stage: String, errno: Int32 = 0, _ cause: String = "") {
    self.stage = stage
    self.errno = errno
    self.cause = cause
  }

  package var description: String {
    var text = stage
    if errno != 0 { text += ": \(systemErrorText(errno))" }
    if !cause.isEmpty { text += ": \(cause)" }
    return text
  }
}
