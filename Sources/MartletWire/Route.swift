// How an operation is addressed on the wire.

/// The name of an operation and its HTTP binding, as the public service model has them.
package struct Route: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
    case head = "HEAD"
    case patch = "PATCH"
    case options = "OPTIONS"
  }

  /// `Service.Operation`: file name, table row, audit event and metric dimension in one.
  package let name: String
  package let method: Method
  /// Path with `{Parameter}` segments.
  package let path: String
  /// A query parameter that tells this operation from another with the same path.
  package let selector: (name: String, value: String)?
  /// The HTTP status of success.
  package let status: Int

  /// `uri` may end in `?name=value`, which then must be in the request's query.
  package static func rest(_ name: String, _ method: Method, _ uri: String, status: Int = 200) -> Route {
    let parts = uri.split(separator: "?", maxSplits: 1)
    let selector = parts.count < 2 ? nil : parts[1].split(separator: "=", maxSplits: 1).map(String.init)
    return Route(
      name: name, method: method, path: String(parts[0]), selector: selector.map { ($0[0], $0.count > 1 ? $0[1] : "") },
      status: status)
  }

  /// An operation of the query protocol: the action's name is all of its address.
  package static func query(_ name: String) -> Route {
    Route(name: name, method: .post, path: "/", selector: nil, status: 200)
  }

  /// An operation of AWS JSON, which the target header names; such a service may speak the query protocol too.
  package static func target(_ name: String) -> Route { query(name) }

  /// The name without the service.
  package var action: String { String(name[name.index(after: name.firstIndex(of: ".") ?? name.startIndex)...]) }
}
