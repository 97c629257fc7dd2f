// What operations find: traces by id or in a span of time, groups and tags by name.
import MartletCore
import MartletStore
import MartletWire

extension XRayService {
  /// As many as BatchGetTraces takes.
  private static let mostTraceIDs = 5

  func traces(_ ids: [String], _ call: Call) async throws(AWSError) -> (
    traces: [Trace], unprocessed: [String]
  ) {
    guard ids.count <= XRayService.mostTraceIDs else { throw .xrayTooManyTraceIDs() }
    let horizon = horizon
    return try await reading { store throws(Fault) in
      var found: [Trace] = []
      var unprocessed: [String] = []
      for id in ids {
        guard let parsed = TraceID(id),
          let trace = try store.trace(parsed, in: call.place, notBefore: horizon)
        else {
          unprocessed.append(id)
          continue
        }
        found.append(trace)
      }
      return (found, unprocessed)
    }
  }

  struct Page: Sendable {
    var found: [(trace: Trace, profile: TraceProfile)] = []
    var processed = 0
    /// nil: there is no more.
    var next: TraceStore.Position?
  }

  /// As many traces are looked at for a page.
  private static let pageSize = 200

  /// Traces of a span of time that a filter lets through.
  func page(
    _ times: XRayTimes, byArrival: Bool, after position: TraceStore.Position?,
    _ filter: TraceFilter?, _ call: Call
  ) async throws(AWSError) -> Page {
    let horizon = horizon
    let (start, end) = times.milliseconds
    var expressions: [String: TraceFilter] = [:]
    for group in filter?.groups ?? [] {
      expressions[group.name] = groupExpression(isARN: group.isARN, group.name, call.place)
    }
    let known = expressions
    return try await reading { store throws(Fault) in
      // A trace's id has whole seconds.
      let positions = try store.traces(
        in: call.place, from: max(byArrival ? start : start / 1000 * 1000, byArrival ? 0 : horizon),
        to: end,
        byArrival: byArrival, after: position, count: XRayService.pageSize)
      var page = Page()
      for position in positions {
        guard let id = TraceID(position.trace),
          let trace = try store.trace(id, in: call.place, notBefore: horizon)
        else { continue }
        page.processed += 1
        let profile = TraceProfile(trace)
        if filter?.matches(profile, groups: { known[$1] }) ?? true {
          page.found.append((trace, profile))
        }
      }
      if positions.count == XRayService.pageSize { page.next = positions.last }
      return page
    }
  }

  /// nil for an empty expression, which lets everything through.
  func filter(_ text: String) throws(AWSError) -> TraceFilter? {
    guard text.contains(where: { !$0.isWhitespace }) else { return nil }
    do throws(TraceFilterParser.Flaw) {
      return try TraceFilterParser.parse(text)
    } catch {
      throw .xrayInvalidFilter(error)
    }
  }

  // MARK: - Groups

  func group(_ reference: XRayGroupReference, _ call: Call) throws(AWSError) -> XRayGroup {
    guard (reference.name == nil) != (reference.arn == nil) else { throw .xrayNeedsGroup() }
    let found =
      reference.name.flatMap { groups.find(ResourceKey(place: call.place, name: $0)) }
      ?? groups.list(call.place).first { $0.arn == reference.arn }
    guard let found else { throw .xrayNoGroup() }
    return found
  }

  private func groupExpression(isARN: Bool, _ name: String, _ place: Place) -> TraceFilter? {
    let group = groups.list(place).first { isARN ? $0.arn == name : $0.key.name == name }
    return group?.filter.flatMap { try? TraceFilterParser.parse($0) }
  }

  // MARK: - Tags

  func tags(of arn: String, _ call: Call) throws(AWSError) -> [XRayTag] {
    if let group = groups.list(call.place).first(where: { $0.arn == arn }) { return group.tags }
    if let rule = sortedRules(call.place).first(where: { $0.arn == arn }) { return rule.tags }
    throw .xrayNoResource(arn)
  }

  func changeTags(
    of arn: String, _ call: Call,
    _ body: @escaping @Sendable (inout [XRayTag]) throws(AWSError) -> Void
  ) async throws(AWSError) {
    if let group = groups.list(call.place).first(where: { $0.arn == arn }) {
      return try await groups.change(group.key) { record throws(AWSError) in
        guard var group = record, group.arn == arn else { throw .xrayNoResource(arn) }
        try body(&group.tags)
        record = group
      }
    }
    guard let rule = sortedRules(call.place).first(where: { $0.arn == arn }) else {
      throw .xrayNoResource(arn)
    }
    try await rules.change(rule.key) { record throws(AWSError) in
      guard var changed = record ?? (rule.isStandard ? rule : nil) else {
        throw .xrayNoResource(arn)
      }
      try body(&changed.tags)
      record = changed
    }
  }
}
