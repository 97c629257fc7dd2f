// Tags of a resource: ordered pairs, kept as one JSON object.
import MartletWire

package enum Tags {
  package static func parse(_ text: String) -> [(key: String, value: String)] {
    let json = try? JSONValue(parsing: text)
    return (json?.members ?? []).map { ($0.name, $0.value.string ?? "") }
  }

  package static func text(_ tags: [(key: String, value: String)]) -> String {
    var json = JSONWriter()
    json.value(.object(tags.map { .init($0.key, .string($0.value)) }))
    return json.text
  }
}
