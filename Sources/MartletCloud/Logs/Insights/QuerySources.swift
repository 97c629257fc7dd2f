// From an event to a row: the fields that a query names, and no others.
import MartletCore

/// An event as a query sees it.
struct QueryEvent {
  let time: Int64
  let ingestion: Int64
  let stream: String
  /// `account:group`
  let group: String
  let pointer: () -> String
  let text: UnsafeRawBufferPointer
}

struct QuerySources: Sendable {
  private enum Source: Sendable {
    case time, ingestion, message, stream, group, pointer
    case lambda(String)
    /// Members of JSON, by the whole name and by its parts.
    case json([UInt8], path: [[UInt8]])
  }

  private let sources: [(place: Int, source: Source)]
  private let width: Int
  private let wantsLambda: Bool
  private let wantsJSON: Bool

  init(_ query: Query) {
    width = query.names.count
    sources = query.sources.map { place in
      let name = query.names[place]
      let source: Source
      switch name {
      case "@timestamp": source = .time
      case "@ingestionTime": source = .ingestion
      case "@message": source = .message
      case "@logStream": source = .stream
      case "@log": source = .group
      case "@ptr": source = .pointer
      case _ where LambdaLine.fields.contains(name): source = .lambda(name)
      default: source = .json(Array(name.utf8), path: name.utf8.split(separator: 46).map { Array($0) })
      }
      return (place, source)
    }
    wantsLambda = sources.contains { if case .lambda = $0.source { true } else { false } }
    wantsJSON = sources.contains { if case .json = $0.source { true } else { false } }
  }

  func row(_ event: QueryEvent) -> [QueryValue] {
    var row = [QueryValue](repeating: .null, count: width)
    let isObject = event.text.first == UInt8(ascii: "{")
    let json = isObject && (wantsJSON || wantsLambda) ? LazyJSON(event.text) : nil
    let lambda = wantsLambda && !isObject ? LambdaLine.fields(event.text) : [:]
    for (place, source) in sources {
      switch source {
      case .time: row[place] = .time(event.time)
      case .ingestion: row[place] = .time(event.ingestion)
      case .message: row[place] = .text(String(decoding: event.text, as: UTF8.self))
      case .stream: row[place] = .text(event.stream)
      case .group: row[place] = .text(event.group)
      case .pointer: row[place] = .text(event.pointer())
      case .lambda(let name):
        if let json { row[place] = platform(name, json) } else if let value = lambda[name] { row[place] = value }
      case .json(let name, let path):
        guard let json else { continue }
        // A name with points in it may be one member, or a path.
        if let value = json.member(name, of: json.root) {
          row[place] = of(json, value)
        } else if path.count > 1, let value = find(json, path) {
          row[place] = of(json, value)
        }
      }
    }
    return row
  }

  private func find(_ json: LazyJSON, _ path: [[UInt8]]) -> Int? {
    var at = json.root
    for step in path {
      if let next = json.member(step, of: at) {
        at = next
      } else if let index = Int(String(decoding: step, as: UTF8.self)), let next = json.element(index, of: at) {
        at = next
      } else {
        return nil
      }
    }
    return at
  }

  private func of(_ json: LazyJSON, _ at: Int) -> QueryValue {
    switch json.value(at) {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .number(let number): .number(number)
    case .string(let text): .text(text)
    case .object, .array: .text(json.text(at))
    }
  }

  private func platform(_ name: String, _ json: LazyJSON) -> QueryValue {
    if name == "@type" {
      guard let at = json.member(Array("type".utf8), of: json.root) else { return .null }
      return LambdaLine.type(json.text(at)).map { .text($0) } ?? .null
    }
    if name == "@requestId", let at = json.member(Array("requestId".utf8), of: json.root) { return of(json, at) }
    guard let (path, factor) = LambdaLine.path(name), let at = find(json, path.map { Array($0.utf8) }) else {
      return .null
    }
    let value = of(json, at)
    return factor == 1 ? value : value.number.map { .number($0 * factor) } ?? .null
  }
}
