// An operation's face: its route, what goes in, what comes out. Enough to call it; whoever answers it adds `Operation`.
import MartletCore

/// What a caller needs to know of an operation.
package protocol Shape: Sendable {
  associatedtype Input: Readable & Sendable
  associatedtype Output: Writable & Sendable
  static var route: Route { get }
}

/// Something that is parsed from a request. Values become domain types here, so that bodies never validate.
package protocol Readable {
  /// Violated constraints are recorded in the reader, which refuses the request afterwards with all of them at once;
  /// only what cannot be read on at all is thrown.
  init(_ r: Reader) throws(AWSError)
}

/// Something that is written into a reply.
package protocol Writable {
  func write(to w: inout Writer)
}

/// An answer without members.
package struct Empty: Readable, Writable, Sendable {
  package init() {}
  package init(_ r: Reader) throws(AWSError) {}
  package func write(to w: inout Writer) {}
}
