// What filter expressions ask of a trace, of a service in it, and of a call between two.
import MartletCore
import MartletWire

/// Facts of one of them.
struct TraceFacts: Sendable {
  struct Flags: OptionSet, Sendable {
    let rawValue: Int
    static let ok = Flags(rawValue: 1)
    static let error = Flags(rawValue: 2)
    static let throttle = Flags(rawValue: 4)
    static let fault = Flags(rawValue: 8)
    static let partial = Flags(rawValue: 16)
    static let inferred = Flags(rawValue: 32)
    static let first = Flags(rawValue: 64)
    static let last = Flags(rawValue: 128)
    static let remote = Flags(rawValue: 256)
    static let root = Flags(rawValue: 512)
  }

  enum Value: Sendable, Hashable {
    case text(String)
    case number(Double)
    case bool(Bool)
  }

  var flags: Flags = []
  var numbers: [TraceFilter.NumberKey: [Double]] = [:]
  var texts: [TraceFilter.TextKey: [String]] = [:]
  var annotations: [String: [Value]] = [:]

  /// Takes in a segment or subsegment.
  mutating func add(_ node: JSONValue) {
    if node["error"]?.bool == true { flags.insert(.error) }
    if node["throttle"]?.bool == true { flags.insert([.throttle, .error]) }
    if node["fault"]?.bool == true { flags.insert(.fault) }
    if node["in_progress"]?.bool == true { flags.insert(.partial) }
    if node["namespace"]?.string == "remote" { flags.insert(.remote) }
    for member in node["annotations"]?.members ?? [] {
      guard let value = TraceFacts.value(member.value) else { continue }
      annotations[member.name, default: []].append(value)
    }
    let (request, response) = (node["http"]?["request"], node["http"]?["response"])
    add(.url, request?["url"]?.string)
    add(.method, request?["method"]?.string)
    add(.userAgent, request?["user_agent"]?.string)
    add(.clientIP, request?["client_ip"]?.string)
    add(.user, node["user"]?.string)
    add(.resourceARN, node["resource_arn"]?.string)
    add(.zone, node["aws"]?["ec2"]?["availability_zone"]?.string)
    add(.instance, node["aws"]?["ec2"]?["instance_id"]?.string)
    for exception in node["cause"]?["exceptions"]?.array ?? [] {
      add(.message, exception["message"]?.string)
    }
    if let status = response?["status"]?.number { numbers[.status, default: []].append(status) }
  }

  private mutating func add(_ key: TraceFilter.TextKey, _ value: String?) {
    guard let value, texts[key]?.contains(value) != true else { return }
    texts[key, default: []].append(value)
  }

  mutating func name(_ service: TracedService) {
    texts[.name] = [service.name]
    texts[.type] = [service.type]
    if let account = service.account { texts[.account] = [account] }
  }

  mutating func conclude() {
    if flags.isDisjoint(with: [.error, .fault, .throttle]) { flags.insert(.ok) }
  }

  static func value(_ json: JSONValue) -> Value? {
    switch json {
    case .string(let text): .text(text)
    case .integer(let number): .number(Double(number))
    case .double(let number): .number(number)
    case .bool(let flag): .bool(flag)
    case .null, .array, .object: nil
    }
  }
}

/// Facts of a trace and of everything in it.
struct TraceProfile: Sendable {
  var trace = TraceFacts()
  var services: [(service: TracedService, facts: TraceFacts)] = []
  var edges: [(from: TracedService, to: TracedService, facts: TraceFacts)] = []

  init(_ source: Trace) {
    let graph = TraceGraph([source])
    let root = source.root
    for segment in source.segments { Trace.walk(segment.document) { node, _ in trace.add(node) } }
    trace.numbers[.duration] = [source.duration]
    trace.numbers[.responseTime] = [root?.duration ?? 0]
    trace.conclude()
    trace.texts[.name] = graph.order.map(\.name)
    trace.texts[.type] = graph.order.map(\.type)
    for service in graph.order where service.type != "client" {
      guard let node = graph.nodes[service] else { continue }
      services.append((service, TraceProfile.facts(of: node, in: source, root: root, graph)))
    }
    for from in graph.order {
      for (to, edge) in graph.nodes[from]?.edges ?? [:] {
        var facts = TraceFacts()
        facts.flags = TraceProfile.flags(edge.tally)
        facts.numbers[.responseTime] = Array(edge.tally.histogram.keys)
        facts.numbers[.duration] = facts.numbers[.responseTime]
        facts.conclude()
        edges.append((from, to, facts))
      }
    }
  }

  private static func flags(_ tally: TraceTally) -> TraceFacts.Flags {
    var flags: TraceFacts.Flags = []
    if tally.faults > 0 { flags.insert(.fault) }
    if tally.throttles > 0 { flags.insert([.throttle, .error]) }
    if tally.otherErrors > 0 { flags.insert(.error) }
    return flags
  }

  private static func facts(
    of node: TraceGraph.Node, in source: Trace, root: Trace.Segment?, _ graph: TraceGraph
  ) -> TraceFacts {
    var facts = TraceFacts()
    facts.name(node.service)
    facts.flags = flags(node.tally)
    facts.numbers[.responseTime] = Array(node.tally.histogram.keys)
    facts.numbers[.duration] = facts.numbers[.responseTime]
    if node.isInferred { facts.flags.insert(.inferred) }
    if node.service.type == "remote" { facts.flags.insert(.remote) }
    if node.edges.isEmpty { facts.flags.insert(.last) }
    for segment in source.segments where TraceGraph.service(segment) == node.service {
      if segment.id == root?.id { facts.flags.insert([.root, .first]) }
      Trace.walk(segment.document) { child, depth in
        // What a subsegment suffered is the service's own only if the segment says so.
        let before = facts.flags
        facts.add(child)
        if depth > 0 { facts.flags = before.union(facts.flags.intersection([.partial])) }
      }
    }
    facts.conclude()
    return facts
  }
}
