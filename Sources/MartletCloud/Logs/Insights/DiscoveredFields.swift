// The fields that Logs Insights finds in an event by itself.
import MartletCore
import MartletWire

extension Logs {
  /// Members of JSON, nested ones with points, and what Lambda's lines say.
  static func discovered(_ event: String) -> [(name: String, value: QueryValue)] {
    var event = event
    return event.withUTF8 { buffer in
      let bytes = UnsafeRawBufferPointer(buffer)
      guard let json = LazyJSON(bytes) else {
        return LambdaLine.fields(bytes).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      }
      var found: [(name: String, value: QueryValue)] = []
      walk(json, json.root, "", depth: 0, &found)
      return found
    }
  }

  /// AWS finds no more in an event.
  private static let mostFields = 200

  private static func walk(
    _ json: LazyJSON, _ at: Int, _ prefix: String, depth: Int, _ found: inout [(name: String, value: QueryValue)]
  ) {
    var index = 0
    func visit(_ name: String, _ value: Int) -> Bool {
      switch json.value(value) {
      case .object, .array: if depth < 20 { walk(json, value, "\(name).", depth: depth + 1, &found) }
      case .null: break
      case .bool(let flag): found.append((name, .bool(flag)))
      case .number(let number): found.append((name, .number(number)))
      case .string(let text): found.append((name, .text(text)))
      }
      return found.count < mostFields
    }
    json.forEachMember(at) { name, value in visit(prefix + LazyJSON.text(name), value) }
    json.forEachElement(at) { value in
      defer { index += 1 }
      return visit(prefix + String(index), value)
    }
  }
}
