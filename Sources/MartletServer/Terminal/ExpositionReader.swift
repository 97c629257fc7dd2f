// Reads text in Prometheus's exposition format: what Exposition.swift writes.

package struct ExpositionReader: Sendable {
  package struct Sample: Sendable, Equatable {
    package let labels: [String: String]
    package let value: Double
  }

  /// By the names of families.
  private var families: [String: [Sample]] = [:]

  /// Lines that are no samples are passed over.
  package init(_ text: String) {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      var rest = line[...]
      let name = rest.prefix { $0 != "{" && $0 != " " }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty, let labels = ExpositionReader.labels(&rest),
        let value = rest.split(separator: " ").first.flatMap({ Double($0) })
      else { continue }
      families[String(name), default: []].append(Sample(labels: labels, value: value))
    }
  }

  package subscript(name: String) -> [Sample] { families[name] ?? [] }

  /// The sum of the samples that have these labels; nil if there are none.
  package func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    let found = self[name].filter { sample in labels.allSatisfy { sample.labels[$0.key] == $0.value } }
    return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value }
  }

  private static func labels(_ rest: inout Substring) -> [String: String]? {
    guard rest.first == "{" else { return [:] }
    rest = rest.dropFirst()
    var labels: [String: String] = [:]
    while let first = rest.first, first != "}" {
      if first == "," {
        rest = rest.dropFirst()
        continue
      }
      let name = rest.prefix { $0 != "=" }
      rest = rest.dropFirst(name.count + 1)
      guard rest.first == "\"" else { return nil }
      rest = rest.dropFirst()
      var value = ""
      while let character = rest.first, character != "\"" {
        rest = rest.dropFirst()
        guard character == "\\" else {
          value.append(character)
          continue
        }
        guard let escaped = rest.first else { return nil }
        value.append(escaped == "n" ? "\n" : escaped)
        rest = rest.dropFirst()
      }
      guard rest.first == "\"" else { return nil }
      rest = rest.dropFirst()
      labels[String(name)] = value
    }
    guard rest.first == "}" else { return nil }
    rest = rest.dropFirst()
    return labels
  }
}
