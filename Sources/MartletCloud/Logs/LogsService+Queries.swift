// Running queries of Logs Insights over the events of groups.
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOPosix
import Synchronization

extension LogsService {
  /// Begins a query; its results are fetched by its id.
  func start(
    _ query: Query, _ text: String, groups: [LogGroup], window: Range<Int64>, limit: Int, _ call: Call
  ) throws(AWSError) -> String {
    let id = RequestID(from: world).description
    let isThere = queries.withLock { shelf in
      guard shelf.running < QueryShelf.mostRunning else { return false }
      shelf.add(
        LogsQuery(
          id: id, place: call.place, groups: groups.map(\.key.name), text: text, created: now,
          identity: call.identity.arn))
      return true
    }
    guard isThere else {
      throw .logsLimit("The limit of \(QueryShelf.mostRunning) concurrent queries is reached.")
    }
    alarms.begin()
    searchers.submit { _ in
      self.run(query, id, groups, window, limit)
      self.alarms.end()
    }
    return id
  }

  /// Blocking.
  private func run(_ query: Query, _ id: String, _ groups: [LogGroup], _ window: Range<Int64>, _ limit: Int) {
    let began = world.monotonic()
    var run = QueryRun(query.withPointer, limit: limit, now: now)
    var isWhole = true
    var count = 0
    for group in groups where isWhole {
      guard let folder = try? folder(group) else { continue }
      let names = folder.state.withLock { state in state.streams.byID.mapValues(\.name) }
      let label = "\(group.key.place.account):\(group.key.name)"
      let windows = [(window, false)] + (query.earlier.map { [($0.window(window), true)] } ?? [])
      for (window, isEarlier) in windows where isWhole {
        let visible = window.clamped(to: self.window(group, from: nil, to: nil))
        folder.forEach(window: visible, needle: query.needle) { stream, position, ingestion, text in
          count += 1
          if count & 0xfff == 0, queries.withLock({ $0.queries[id]?.status }) != .running { return false }
          let event = QueryEvent(
            time: position.time, ingestion: ingestion, stream: names[stream] ?? "", group: label,
            pointer: { LogsService.pointer(group, position) }, text: text)
          isWhole = run.add(event, isEarlier: isEarlier)
          return isWhole
        }
      }
    }
    let results = run.finish()
    let duration = Int64((world.monotonic() - began) / 1_000_000)
    queries.withLock { shelf in
      shelf.change(id) { shown in
        guard shown.status == .running else { return }
        shown.status = isWhole ? .complete : .failed
        shown.results = isWhole ? results : []
        (shown.matched, shown.scanned, shown.bytes) = (run.matched, run.scanned, run.bytes)
        shown.duration = duration
      }
    }
  }

  /// Names an event for GetLogRecord.
  static func pointer(_ group: LogGroup, _ position: LogPosition) -> String {
    Base64.encode(Array("\(group.store)/\(position.segment)/\(position.offset)".utf8))
  }

  /// The event that a pointer names, with its group.
  func record(_ pointer: String, _ place: Place) async throws(AWSError) -> (LogGroup, FoundEvent, stream: String)? {
    guard let text = Base64.decode(pointer).map({ String(buffer: $0) }) else { return nil }
    let parts = text.split(separator: "/")
    guard parts.count == 3, let segment = UInt32(parts[1]), let offset = UInt32(parts[2]),
      let group = groups.list(place).first(where: { $0.store == parts[0] })
    else { return nil }
    return try await searching { () throws(Fault) -> (LogGroup, FoundEvent, stream: String)? in
      let folder = try self.folder(group)
      guard let event = folder.event(segment, offset) else { return nil }
      guard let stream = folder.state.withLock({ $0.streams.byID[event.stream] }) else { return nil }
      return (group, event, stream.name)
    }
  }
}
