// The segments of one trace, put together: subsegments that were sent by themselves go to their places.
import MartletCore
import MartletWire

package struct Trace: Sendable {
  package let id: String
  /// In the order of their beginnings; with what was sent apart below its parent.
  package let segments: [Segment]

  package struct Segment: Sendable {
    package let id: String
    package let parentID: String?
    package let name: String
    package let start: Double
    package let end: Double?
    package let document: JSONValue

    /// `AWS::Lambda::Function`; empty if it does not say.
    var origin: String { document["origin"]?.string ?? "" }
    var duration: Double { end.map { max(0, $0 - start) } ?? 0 }
  }

  package init(id: String, _ found: [TraceSegment]) {
    self.id = id
    var children: [String: [TraceSegment]] = [:]
    for segment in found where segment.isSubsegment {
      children[segment.parentID ?? "", default: []].append(segment)
    }
    var assembled: [Segment] = []
    for segment in found where !segment.isSubsegment {
      assembled.append(Trace.assembled(segment, &children))
    }
    // What has lost its parent stands for itself. Each is taken once, so that circles end.
    while let orphan = Trace.firstOrphan(of: children) {
      children[orphan.parentID ?? ""]?.removeAll { $0.id == orphan.id }
      assembled.append(Trace.assembled(orphan, &children))
    }
    segments = assembled.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
  }

  /// One whose parent is not waiting itself; in a circle any.
  private static func firstOrphan(of children: [String: [TraceSegment]]) -> TraceSegment? {
    let waiting = children.values.flatMap { $0 }
    let ids = Set(waiting.map(\.id))
    return waiting.filter { !ids.contains($0.parentID ?? "") }.min {
      ($0.start, $0.id) < ($1.start, $1.id)
    }
      ?? waiting.min { $0.id < $1.id }
  }

  private static func assembled(_ segment: TraceSegment, _ children: inout [String: [TraceSegment]])
    -> Segment
  {
    Segment(
      id: segment.id, parentID: segment.parentID, name: segment.name, start: segment.start,
      end: segment.end,
      document: attach(segment.json, &children, depth: 0))
  }

  /// As deep as documents may be nested; what is deeper is not looked into.
  private static let deepest = 100

  private static func attach(
    _ node: JSONValue, _ children: inout [String: [TraceSegment]], depth: Int
  ) -> JSONValue {
    guard !children.isEmpty, depth < deepest, case .object(var members) = node else { return node }
    var below = (node["subsegments"]?.array ?? []).map { attach($0, &children, depth: depth + 1) }
    if let id = node["id"]?.string, let sent = children.removeValue(forKey: id) {
      let known = Set(below.compactMap { $0["id"]?.string })
      for child in sent.sorted(by: { ($0.start, $0.id) < ($1.start, $1.id) })
      where !known.contains(child.id) {
        let own = (child.json.members ?? []).filter {
          !["trace_id", "parent_id", "type"].contains($0.name)
        }
        below.append(attach(.object(own), &children, depth: depth + 1))
      }
      below.sort { ($0["start_time"]?.number ?? 0) < ($1["start_time"]?.number ?? 0) }
    }
    guard !below.isEmpty else { return node }
    members.removeAll { $0.name == "subsegments" }
    members.append(.init("subsegments", .array(below)))
    return .object(members)
  }

  // MARK: - Times

  /// Seconds since 1970.
  var start: Double { segments.map(\.start).min() ?? 0 }
  var end: Double { segments.map { $0.end ?? $0.start }.max() ?? 0 }
  var duration: Double { max(0, end - start) }

  /// The segment with which the trace begins: the earliest of those whose parent is not here.
  var root: Segment? {
    let ids = allIDs
    return segments.first { $0.parentID.map { !ids.contains($0) } ?? true } ?? segments.first
  }

  /// The ids of segments and of all subsegments.
  private var allIDs: Set<String> {
    var ids: Set<String> = []
    for segment in segments {
      Trace.walk(segment.document) { node, _ in if let id = node["id"]?.string { ids.insert(id) } }
    }
    return ids
  }

  /// Visits a segment and everything below it.
  static func walk(_ node: JSONValue, depth: Int = 0, _ visit: (JSONValue, Int) -> Void) {
    visit(node, depth)
    guard depth < deepest else { return }
    for child in node["subsegments"]?.array ?? [] { walk(child, depth: depth + 1, visit) }
  }
}
