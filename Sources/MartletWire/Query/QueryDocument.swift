// The parameters of the query protocol as a tree: `Tags.member.1.Key=a` becomes an object with a list of objects.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
import NIOCore

/// Leaves are strings, whatever they mean; `Members` turns them into what is asked for.
package enum QueryDocument {
  /// A parameter whose name has more parts than any model's is refused.
  static let deepestName = 32

  /// The parameters of a request: those of its URI, then those of its form. nil if a name is nested too deeply.
  package static func members(of request: HTTPRequest) -> [JSONValue.Member]? {
    var pairs = request.queryParameters
    if request.body.readableBytes > 0 { pairs += QueryDocument.pairs(String(buffer: request.body)) }
    return members(pairs)
  }

  /// `a=1&b=2`, decoded, in order.
  package static func pairs(_ form: String) -> [(name: String, value: String)] {
    form.split(separator: "&").map { pair in
      guard let mark = pair.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        return (Percent.decode(pair, plus: true), "")
      }
      return (
        Percent.decode(pair[..<mark], plus: true), Percent.decode(pair[pair.utf8.index(after: mark)...], plus: true)
      )
    }
  }

  /// Of parameters with the same name the last one counts; a structure counts more than a text of the same name.
  package static func members(_ pairs: [(name: String, value: String)]) -> [JSONValue.Member]? {
    let root = Node()
    for pair in pairs {
      let parts = pair.name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count <= deepestName else { return nil }
      root.insert(parts[...], pair.value)
    }
    return root.children.map { .init($0.name, $0.node.value) }
  }

  private final class Node {
    var text = ""
    var children: [(name: String, node: Node)] = []
    private var positions: [String: Int] = [:]

    func insert(_ parts: ArraySlice<Substring>, _ value: String) {
      guard let first = parts.first else {
        text = value
        return
      }
      let name = String(first)
      if let position = positions[name] {
        children[position].node.insert(parts.dropFirst(), value)
        return
      }
      let node = Node()
      positions[name] = children.count
      children.append((name, node))
      node.insert(parts.dropFirst(), value)
    }

    var value: JSONValue {
      guard !children.isEmpty else { return .string(text) }
      if children.count == 1, let wrapper = children.first {
        if wrapper.name == "member", let elements = wrapper.node.elements { return .array(elements.map(\.value)) }
        if wrapper.name == "entry", let entries = wrapper.node.elements, let map = Node.map(entries) { return map }
      }
      if let elements { return .array(elements.map(\.value)) }
      return .object(children.map { .init($0.name, $0.node.value) })
    }

    /// The children in the order of their numbers, if all of them are numbered. Gaps are closed, as AWS does.
    private var elements: [Node]? {
      var numbered: [(number: Int, node: Node)] = []
      for child in children {
        guard let number = Int(child.name), number >= 0 else { return nil }
        numbered.append((number, child.node))
      }
      guard !numbered.isEmpty else { return nil }
      return numbered.sorted { $0.number < $1.number }.map(\.node)
    }

    /// Entries of `key` and `value`; SNS has some of `Name` and `Value`.
    private static func map(_ entries: [Node]) -> JSONValue? {
      var members: [JSONValue.Member] = []
      for entry in entries {
        guard let key = entry.child("key") ?? entry.child("Name"), key.children.isEmpty,
          let value = entry.child("value") ?? entry.child("Value")
        else { return nil }
        members.append(.init(key.text, value.value))
      }
      return .object(members)
    }

    private func child(_ name: String) -> Node? { positions[name].map { children[$0].node } }
  }
}
