// What is done when a function is found to invoke itself by way of other services.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
import MartletWire

package struct RecursionConfig: Attachment {
  static let loops = ["Allow", "Terminate"]
  static let initial = RecursionConfig(loop: "Terminate")

  /// `Allow` or `Terminate`.
  package let loop: String

  package init(loop: String) { self.loop = loop }

  package init?(json: JSONValue) {
    guard let loop = json["RecursiveLoop"]?.string else { return nil }
    self.init(loop: loop)
  }

  package var json: JSONValue { .members(("RecursiveLoop", .string(loop))) }
}

/// The setting as an answer.
struct RecursionOutput: Writable, Sendable {
  let config: RecursionConfig

  func write(to w: inout Writer) { w.body { $0.member("RecursiveLoop", config.loop) } }
}
