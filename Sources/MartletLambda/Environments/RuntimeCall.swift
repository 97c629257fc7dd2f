// What a request to the Runtime API means, told from its path:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import MartletCore

/// Every invocation passes here twice, so it goes over bytes.
enum RuntimeCall: Equatable {
  /// `invocation/next`
  case next
  /// `invocation/{id}/response`
  case response(Substring)
  /// `invocation/{id}/error`
  case error(Substring)
  /// `init/error`
  case initError
  /// `restore/next`
  case restoreNext
  /// `restore/error`
  case restoreError
  /// Below the Runtime API's path, and none of its calls.
  case unknown
  /// Not below the Runtime API's path.
  case other

  /// - Parameter path: without a query.
  init(_ path: Substring) {
    let (kind, id) = path.withBytes { RuntimeCall.kind(of: $0) }
    switch kind {
    case .next: self = .next
    case .initError: self = .initError
    case .restoreNext: self = .restoreNext
    case .restoreError: self = .restoreError
    case .unknown: self = .unknown
    case .other: self = .other
    case .response, .error:
      let start = path.utf8.index(path.startIndex, offsetBy: id.lowerBound)
      let text = path[start..<path.utf8.index(start, offsetBy: id.count)]
      self = kind == .response ? .response(text) : .error(text)
    }
  }

  init(uri: String) {
    let end = uri.withBytes { bytes in bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count }
    self.init(uri[..<uri.utf8.index(uri.startIndex, offsetBy: end)])
  }

  private enum Kind { case next, response, error, initError, restoreNext, restoreError, unknown, other }

  private static let prefix: StaticString = "/2018-06-01/runtime/"
  private static let invocation: StaticString = "/2018-06-01/runtime/invocation/"

  /// With the place of the identifier, if there is one.
  private static func kind(of path: UnsafeBufferPointer<UInt8>) -> (Kind, id: Range<Int>) {
    guard path.begins(with: prefix) else { return (.other, 0..<0) }
    let start = invocation.utf8CodeUnitCount
    guard path.begins(with: invocation) else {
      return (rare(path, from: prefix.utf8CodeUnitCount), 0..<0)
    }
    guard let slash = path[start...].firstIndex(of: UInt8(ascii: "/")) else {
      return (path.ends(with: "next", from: start) ? .next : .unknown, 0..<0)
    }
    if path.ends(with: "/response", from: slash) { return (.response, start..<slash) }
    return (path.ends(with: "/error", from: slash) ? .error : .unknown, start..<slash)
  }

  /// What happens once in an environment's life.
  private static func rare(_ path: UnsafeBufferPointer<UInt8>, from start: Int) -> Kind {
    if path.ends(with: "init/error", from: start) { return .initError }
    if path.ends(with: "restore/next", from: start) { return .restoreNext }
    return path.ends(with: "restore/error", from: start) ? .restoreError : .unknown
  }
}
