// Reading events in the order of their times, a page at a time, whatever the order in which they were written.
import MartletCore
import MartletWire
import Synchronization

/// What of a group is looked for.
struct LogSearch: Sendable {
  /// nil = all streams.
  var streams: Set<UInt32>?
  /// Milliseconds since 1970: from the first, up to and without the second.
  var window: Range<Int64> = .min..<(.max)
  /// The page begins behind this, in the direction of reading.
  var after: LogPosition?
  var isAscending = true
  /// Events of a page.
  var limit = 10_000
  /// Bytes of the texts of a page; one event is always there.
  var bytes = 1 << 20
}

/// An event that was found.
struct FoundEvent: Sendable {
  let position: LogPosition
  let stream: UInt32
  /// When it was written, in milliseconds since 1970.
  let ingestion: Int64
  let text: String
}

extension LogFolder {
  /// Sees every event of a window, in the order in which they were written. Blocking.
  /// - Parameter needle: bytes that every event that matters has in it; blocks without them are passed over.
  func forEach(
    streams: Set<UInt32>? = nil, window: Range<Int64>, needle: Needle? = nil,
    _ body: (_ stream: UInt32, _ position: LogPosition, _ ingestion: Int64, _ text: UnsafeRawBufferPointer) -> Bool
  ) {
    var goesOn = true
    for found in blocks(streams: streams, window: window) where goesOn {
      guard found.mapped.contains(needle, found) else { continue }
      found.block.forEachRecord(found.mapped.bytes, at: found.offset) { offset, time, text in
        guard window.contains(time) else { return true }
        let position = LogPosition(time: time, segment: found.segment, offset: UInt32(offset))
        goesOn = body(found.block.stream, position, found.block.ingestion, text)
        return goesOn
      }
    }
  }

  /// A page of events that `isMatch` holds for. Blocking.
  /// - Returns: the events in the direction of reading, and whether there are none behind them.
  func search(
    _ search: LogSearch, needle: Needle? = nil, isMatch: (UnsafeRawBufferPointer) -> Bool = { _ in true }
  ) -> (events: [FoundEvent], isComplete: Bool) {
    let up = search.isAscending
    var blocks = blocks(streams: search.streams, window: search.window).filter { found in
      search.after.map { up ? found.block.newest >= $0.time : found.block.oldest <= $0.time } ?? true
    }
    let isSorted = zip(blocks, blocks.dropFirst()).allSatisfy {
      up ? $0.block.oldest <= $1.block.oldest : $0.block.newest >= $1.block.newest
    }
    if !isSorted {
      blocks.sort { up ? $0.block.oldest < $1.block.oldest : $0.block.newest > $1.block.newest }
    }
    var page = SearchPage(search)
    for found in blocks {
      if page.isFull(before: up ? found.block.oldest : found.block.newest) { break }
      guard found.mapped.contains(needle, found) else { continue }
      found.block.forEachRecord(found.mapped.bytes, at: found.offset) { offset, time, text in
        let position = LogPosition(time: time, segment: found.segment, offset: UInt32(offset))
        if page.wants(position), isMatch(text) { page.add(.init(position: position, found: found, text: text)) }
        return true
      }
    }
    return page.finish()
  }

  /// One event; nil if it is not there any more. Blocking.
  func event(_ segment: UInt32, _ offset: UInt32) -> FoundEvent? {
    guard let size = state.withLock({ $0.segments.first { $0.number == segment }?.size }),
      let mapped = MappedFile(LogFolder.file(segment, in: path), length: size)
    else { return nil }
    var start = 0
    while let block = LogBlock(mapped.bytes, at: start), start <= Int(offset) {
      if Int(offset) < start + block.size {
        var event: FoundEvent?
        block.forEachRecord(mapped.bytes, at: start) { position, time, text in
          guard position == Int(offset) else { return true }
          event = FoundEvent(
            position: LogPosition(time: time, segment: segment, offset: offset), stream: block.stream,
            ingestion: block.ingestion, text: String(decoding: text, as: UTF8.self))
          return false
        }
        return event
      }
      start += block.size
    }
    return nil
  }

  /// The blocks that may hold something of a window, in the order in which they were written.
  private func blocks(streams: Set<UInt32>?, window: Range<Int64>) -> [FoundBlock] {
    let (segments, known) = state.withLock { ($0.segments, Set($0.streams.byID.keys)) }
    let wanted = streams.map { $0.intersection(known) } ?? known
    var blocks: [FoundBlock] = []
    for segment in segments {
      guard segment.size > 0, segment.newest >= window.lowerBound, segment.oldest < window.upperBound,
        segment.shares.keys.contains(where: wanted.contains),
        let mapped = MappedFile(LogFolder.file(segment.number, in: path), length: segment.size)
      else { continue }
      var offset = 0
      while let block = LogBlock(mapped.bytes, at: offset) {
        if block.newest >= window.lowerBound, block.oldest < window.upperBound, wanted.contains(block.stream) {
          blocks.append(FoundBlock(mapped: mapped, segment: segment.number, offset: offset, block: block))
        }
        offset += block.size
      }
    }
    return blocks
  }
}

/// A block of a segment that is mapped.
private struct FoundBlock {
  let mapped: MappedFile
  let segment: UInt32
  let offset: Int
  let block: LogBlock
}

extension MappedFile {
  /// True if the bytes occur in the block: the fast way past what does not matter.
  fileprivate func contains(_ needle: Needle?, _ found: FoundBlock) -> Bool {
    guard let needle else { return true }
    let block = UnsafeRawBufferPointer(rebasing: bytes[found.offset..<(found.offset + found.block.size)])
    return needle.find(in: block) != nil
  }
}

/// The events of a page while they are found: the first ones in the direction of reading.
private struct SearchPage {
  struct Item {
    let position: LogPosition
    let found: FoundBlock
    let text: UnsafeRawBufferPointer
  }

  let search: LogSearch
  var items: [Item] = []
  /// The last position that is still of interest, once the page is full.
  var last: LogPosition?
  var hasMore = false

  init(_ search: LogSearch) { self.search = search }

  private func isBefore(_ a: LogPosition, _ b: LogPosition) -> Bool { search.isAscending ? a < b : b < a }

  func wants(_ position: LogPosition) -> Bool {
    guard search.window.contains(position.time) else { return false }
    if let after = search.after, !isBefore(after, position) { return false }
    // One that comes too late to be shown is still the news that there is more.
    return last.map { isBefore(position, $0) || !hasMore } ?? true
  }

  mutating func add(_ item: Item) {
    if let last, !isBefore(item.position, last) {
      hasMore = true
      return
    }
    items.append(item)
    if items.count >= search.limit + 4096 { cut() }
  }

  /// True if nothing that begins at `time` or later changes the page.
  mutating func isFull(before time: Int64) -> Bool {
    if items.count > search.limit { cut() }
    guard items.count >= search.limit else { return false }
    if last == nil { cut() }
    guard let last, hasMore else { return false }
    return search.isAscending ? time > last.time : time < last.time
  }

  private mutating func cut() {
    let isAscending = search.isAscending
    items.sort { isAscending ? $0.position < $1.position : $1.position < $0.position }
    if items.count > search.limit {
      items.removeLast(items.count - search.limit)
      hasMore = true
    }
    if items.count == search.limit { last = items.last?.position }
  }

  mutating func finish() -> (events: [FoundEvent], isComplete: Bool) {
    cut()
    var bytes = 0
    var events: [FoundEvent] = []
    for item in items {
      bytes += item.text.count
      if bytes > search.bytes, !events.isEmpty {
        hasMore = true
        break
      }
      events.append(
        FoundEvent(
          position: item.position, stream: item.found.block.stream, ingestion: item.found.block.ingestion,
          text: String(decoding: item.text, as: UTF8.self)))
    }
    return (events, !hasMore)
  }
}
