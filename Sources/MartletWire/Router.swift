// From method and path to an operation: a tree of path segments, built once.
import MartletCore
import NIOHTTP1

/// Finds the row of a REST request.
package struct Router: Sendable {
  private final class Node: Sendable {
    /// Few enough to be looked through.
    let literals: [(name: [UInt8], node: Node)]
    let parameter: Node?
    let rows: [(method: Route.Method, selector: (name: String, value: String)?, index: Int)]

    init(_ routes: [(segments: ArraySlice<Substring>, route: Route, index: Int)]) {
      var literal: [String: [(ArraySlice<Substring>, Route, Int)]] = [:]
      var parameters: [(ArraySlice<Substring>, Route, Int)] = []
      var here: [(Route.Method, (name: String, value: String)?, Int)] = []
      for (segments, route, index) in routes {
        guard let first = segments.first else {
          here.append((route.method, route.selector, index))
          continue
        }
        let rest = (segments.dropFirst(), route, index)
        if first.hasPrefix("{") { parameters.append(rest) } else { literal[String(first), default: []].append(rest) }
      }
      literals = literal.map { (Array($0.key.utf8), Node($0.value)) }
      parameter = parameters.isEmpty ? nil : Node(parameters)
      // A row with a selector must be tried before the one without.
      rows = here.sorted { $0.1 != nil && $1.1 == nil }
    }
  }

  package enum Match {
    /// The row's index, and what stood in the place of each parameter, percent-encoded as sent.
    case row(Int, parameters: [Substring])
    /// The path exists for other methods.
    case methodNotAllowed
    case none
  }

  private let root: Node
  private let names: [[String]]

  package init(_ routes: [Route]) {
    names = routes.map { route in
      route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
    root = Node(routes.enumerated().map { ($1.path.split(separator: "/")[...], $1, $0) })
  }

  package func parameterNames(_ index: Int) -> [String] { names[index] }

  /// Empty segments are ignored, so that the trailing slash of older SDKs does no harm.
  package func match(_ request: HTTPRequest) -> Match {
    let path = request.path
    var found: [Range<Int>] = []
    guard let node = path.withBytes({ find(root, $0, from: 0, &found) }), !node.rows.isEmpty else { return .none }
    for row in node.rows where row.method.rawValue == request.method.rawValue {
      if let selector = row.selector {
        guard request.queryParameters.contains(where: { $0.name == selector.name && $0.value == selector.value })
        else { continue }
      }
      let parameters = found.map { range in
        let start = path.utf8.index(path.startIndex, offsetBy: range.lowerBound)
        return path[start..<path.utf8.index(start, offsetBy: range.count)]
      }
      return .row(row.index, parameters: parameters)
    }
    return .methodNotAllowed
  }

  /// Every request passes here, so it goes over bytes.
  private func find(
    _ node: Node, _ path: UnsafeBufferPointer<UInt8>, from position: Int, _ parameters: inout [Range<Int>]
  ) -> Node? {
    var start = position
    while start < path.count, path[start] == UInt8(ascii: "/") { start += 1 }
    guard start < path.count else { return node }
    var end = start + 1
    while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
    let next = node.literals.first { literal in
      literal.name.count == end - start && literal.name.indices.allSatisfy { literal.name[$0] == path[start + $0] }
    }
    if let next, let found = find(next.node, path, from: end, &parameters) { return found }
    guard let next = node.parameter else { return nil }
    parameters.append(start..<end)
    if let found = find(next, path, from: end, &parameters) { return found }
    parameters.removeLast()
    return nil
  }
}
