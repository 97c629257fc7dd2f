// Which services took part in traces, and who called whom: the service graph.
// https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
import MartletCore
import MartletWire

/// A service: what segments of one name and origin come from, or what a call into the unknown leads to.
struct TracedService: Hashable, Sendable {
  let name: String
  /// `AWS::Lambda::Function`, `AWS::S3`, `remote`, `client`; empty if unknown.
  let type: String
  let account: String?

  static func client(_ name: String) -> TracedService {
    TracedService(name: name, type: "client", account: nil)
  }
}

/// What became of requests, and how long they took.
struct TraceTally: Sendable {
  var ok = 0
  var throttles = 0
  var otherErrors = 0
  var faults = 0
  /// Seconds.
  var total = 0.0
  /// Each duration in seconds, to three digits, and how often.
  var histogram: [Double: Int] = [:]

  var count: Int { ok + throttles + otherErrors + faults }

  mutating func add(_ node: JSONValue, duration: Double) {
    if node["fault"]?.bool == true {
      faults += 1
    } else if node["throttle"]?.bool == true {
      throttles += 1
    } else if node["error"]?.bool == true {
      otherErrors += 1
    } else {
      ok += 1
    }
    total += duration
    histogram[(duration * 1000).rounded() / 1000, default: 0] += 1
  }
}

struct TraceGraph: Sendable {
  struct Edge: Sendable {
    var tally = TraceTally()
    var start = Double.infinity
    var end = 0.0
  }

  struct Node: Sendable {
    let service: TracedService
    var isRoot = false
    /// Nothing of it was sent: it is known from those who called it.
    var isInferred = true
    var tally = TraceTally()
    var start = Double.infinity
    var end = 0.0
    /// By the services called.
    var edges: [TracedService: Edge] = [:]
  }

  private(set) var nodes: [TracedService: Node] = [:]
  /// In the order in which they were met.
  private(set) var order: [TracedService] = []

  init() {}

  init(_ traces: [Trace]) { for trace in traces { add(trace) } }

  /// A call that leaves a segment.
  private struct Outgoing {
    let from: TracedService
    let node: JSONValue
  }

  mutating func add(_ trace: Trace) {
    var owners: [String: TracedService] = [:]
    var outgoing: [String: Outgoing] = [:]
    for segment in trace.segments {
      let service = TraceGraph.service(segment)
      Trace.walk(segment.document) { node, _ in
        guard let id = node["id"]?.string else { return }
        owners[id] = service
        if node["namespace"]?.string != nil { outgoing[id] = Outgoing(from: service, node: node) }
      }
    }
    for segment in trace.segments {
      let service = TraceGraph.service(segment)
      meet(service) { node in
        node.isInferred = false
        node.tally.add(segment.document, duration: segment.duration)
        node.start = min(node.start, segment.start)
        node.end = max(node.end, segment.end ?? segment.start)
      }
      let parent = segment.parentID
      if let parent, let caller = owners[parent] {
        let call = outgoing.removeValue(forKey: parent)
        if caller != service || call != nil {
          connect(caller, service, call?.node ?? segment.document)
        }
      } else {
        let client = TracedService.client(service.name)
        meet(client) { node in
          node.isRoot = true
          node.start = min(node.start, segment.start)
          node.end = max(node.end, segment.end ?? segment.start)
        }
        connect(client, service, segment.document)
      }
    }
    // Calls to what sends no segments itself.
    for id in outgoing.keys.sorted() {
      guard let call = outgoing[id] else { continue }
      let service = TraceGraph.called(call.node)
      let (start, end) = TraceGraph.times(call.node)
      meet(service) { node in
        node.tally.add(call.node, duration: max(0, end - start))
        node.start = min(node.start, start)
        node.end = max(node.end, end)
      }
      connect(call.from, service, call.node)
    }
  }

  private mutating func meet(_ service: TracedService, _ change: (inout Node) -> Void) {
    if nodes[service] == nil { order.append(service) }
    change(&nodes[service, default: Node(service: service)])
  }

  private mutating func connect(_ caller: TracedService, _ called: TracedService, _ node: JSONValue) {
    let (start, end) = TraceGraph.times(node)
    meet(caller) { caller in
      var edge = caller.edges[called] ?? Edge()
      edge.tally.add(node, duration: max(0, end - start))
      edge.start = min(edge.start, start)
      edge.end = max(edge.end, end)
      caller.edges[called] = edge
    }
  }

  private static func times(_ node: JSONValue) -> (start: Double, end: Double) {
    let start = node["start_time"]?.number ?? 0
    return (start, node["end_time"]?.number ?? start)
  }

  static func service(_ segment: Trace.Segment) -> TracedService {
    let arn = segment.document["resource_arn"]?.string.flatMap { ARN($0) }
    return TracedService(
      name: segment.name, type: segment.origin,
      account: segment.document["aws"]?["account_id"]?.string ?? arn?.account)
  }

  /// What a subsegment calls.
  private static func called(_ node: JSONValue) -> TracedService {
    let name = node["name"]?.string ?? ""
    guard node["namespace"]?.string == "aws" else {
      return TracedService(name: name, type: "remote", account: nil)
    }
    if let table = node["aws"]?["table_name"]?.string {
      return TracedService(name: table, type: "AWS::DynamoDB::Table", account: nil)
    }
    return TracedService(name: name, type: "AWS::\(name)", account: nil)
  }

  // MARK: - Answers

  func write(to w: inout MemberWriter) {
    let numbers = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    w.list("Services", order.compactMap { nodes[$0] }) { w, node in
      w.member("ReferenceId", numbers[node.service])
      TraceGraph.write(node.service, to: &w)
      if node.isRoot { w.member("Root", true) }
      w.member("State", "active")
      w.member("StartTime", node.start)
      w.member("EndTime", node.end)
      let edges = node.edges.sorted { (numbers[$0.key] ?? 0) < (numbers[$1.key] ?? 0) }
      w.list("Edges", edges) { w, edge in
        w.member("ReferenceId", numbers[edge.key])
        w.member("StartTime", edge.value.start)
        w.member("EndTime", edge.value.end)
        TraceGraph.write(edge.value.tally, "ResponseTimeHistogram", to: &w)
        w.list("Aliases", [String]()) { _, _ in }
      }
      guard node.service.type != "client" else { return }
      TraceGraph.write(node.tally, "DurationHistogram", to: &w)
      TraceGraph.write(node.tally.histogram, "ResponseTimeHistogram", to: &w)
    }
  }

  static func write(_ service: TracedService, to w: inout MemberWriter) {
    w.member("Name", service.name)
    w.member("Names", [service.name])
    w.member("AccountId", service.account)
    if !service.type.isEmpty { w.member("Type", service.type) }
  }

  private static func write(_ tally: TraceTally, _ histogram: String, to w: inout MemberWriter) {
    w.object("SummaryStatistics") { w in
      w.member("OkCount", tally.ok)
      w.object("ErrorStatistics") { w in
        w.member("ThrottleCount", tally.throttles)
        w.member("OtherCount", tally.otherErrors)
        w.member("TotalCount", tally.throttles + tally.otherErrors)
      }
      w.object("FaultStatistics") { w in
        w.member("OtherCount", tally.faults)
        w.member("TotalCount", tally.faults)
      }
      w.member("TotalCount", tally.count)
      w.member("TotalResponseTime", tally.total)
    }
    write(tally.histogram, histogram, to: &w)
  }

  private static func write(_ histogram: [Double: Int], _ name: String, to w: inout MemberWriter) {
    w.list(name, histogram.sorted { $0.key < $1.key }) { w, bar in
      w.member("Value", bar.key)
      w.member("Count", bar.value)
    }
  }
}
