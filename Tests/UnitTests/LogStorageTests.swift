// How log events lie on disk: blocks and segments as values, and folders after crashes at any byte.
import Glibc
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization
import Testing

@testable import MartletCloud

@Suite struct LogStorageTests {
  private func batch(_ events: [(Int64, String)]) -> LogBatch {
    var batch = LogBatch()
    for (time, text) in events { batch.append(text, at: time) }
    return batch
  }

  private func newDirectory() -> String { "/tmp/martlet-test-folder-\(RealWorld().random())" }

  @Test func blocksAreReadAsTheyWereWritten() {
    let batch = batch([(5, "one"), (3, ""), (9, "drei é")])
    let bytes = LogBlock.bytes(batch, stream: 7, ingestion: 11)
    bytes.withUnsafeReadableBytes { raw in
      let block = LogBlock(raw, at: 0)
      #expect(block?.count == 3 && block?.stream == 7 && block?.oldest == 3 && block?.newest == 9)
      #expect(block?.ingestion == 11 && block?.isWhole(raw, at: 0) == true && block?.size == raw.count)
      var events: [String] = []
      block?.forEachRecord(raw, at: 0) { _, time, text in
        events.append("\(time) \(String(decoding: text, as: UTF8.self))")
        return true
      }
      #expect(events == ["5 one", "3 ", "9 drei é"])
    }
  }

  /// Of a file that was cut or damaged anywhere, the blocks before that place are whole, and no others.
  @Test func whatIsTornIsCutOff() {
    var random = SplitMix(seed: 1)
    var all = ByteBuffer()
    var ends = [0]
    for i in 0..<20 {
      all.writeImmutableBuffer(
        LogBlock.bytes(batch((0...i % 5).map { (Int64($0), "event \(i) \($0)") }), stream: UInt32(i), ingestion: 0))
      ends.append(all.readableBytes)
    }
    let bytes = Array(all.readableBytesView)
    for cut in stride(from: 0, to: bytes.count, by: 7) {
      let whole = bytes[..<cut].withUnsafeBytes { LogBlock.wholeLength($0) }
      #expect(whole == ends.last { $0 <= cut })
    }
    for _ in 0..<300 {
      var damaged = bytes
      let place = Int(random.next() % UInt64(bytes.count))
      damaged[place] ^= UInt8(1 + random.next() % 255)
      let whole = damaged.withUnsafeBytes { LogBlock.wholeLength($0) }
      #expect(whole == ends.last { $0 <= place })
    }
  }

  @Test func theIndexSaysWhatTheSegmentHolds() {
    var segment = LogSegment(number: 3)
    var all = ByteBuffer()
    for i in 0..<50 {
      let block = LogBlock.bytes(batch([(Int64(i * 10), "a\(i)")]), stream: UInt32(i % 4), ingestion: Int64(i))
      block.withUnsafeReadableBytes { if let head = LogBlock($0, at: 0) { segment.add(head) } }
      all.writeImmutableBuffer(block)
    }
    #expect(all.withUnsafeReadableBytes { LogSegment(number: 3, scanning: $0) } == segment)
    let index = segment.index
    #expect(LogSegment(number: 3, index: index, fileSize: segment.size) == segment)
    #expect(LogSegment(number: 3, index: index, fileSize: segment.size + 1) == nil)
    var random = SplitMix(seed: 2)
    for _ in 0..<200 {
      let mutated = random.mutated(index)
      if mutated != index { #expect(LogSegment(number: 3, index: mutated, fileSize: segment.size) == nil) }
    }
  }

  @Test func foldersComeBackAfterACrash() throws {
    let path = newDirectory()
    let folder = try LogFolder(path: path)
    defer { folder.removeAll() }
    let stream = try folder.makeStream("s", at: 1, isSafe: false).stream
    for i in 0..<10 { try folder.append([(stream.id, batch([(Int64(i), "e\(i)")]))], ingestion: 1) }
    let size = folder.size
    let file = LogFolder.file(1, in: path)
    // Half of a block, and half of a line about a stream.
    for (name, text) in [(file, "MLB1 torn"), ("\(path)/streams", "{\"id\":9,\"na")] {
      let descriptor = open(name, O_WRONLY | O_APPEND)
      #expect(write(descriptor, text, text.utf8.count) == text.utf8.count)
      close(descriptor)
    }
    let again = try LogFolder(path: path)
    #expect(again.size == size && again.stream("s") == stream)
    #expect(again.search(LogSearch()).events.map(\.text) == (0..<10).map { "e\($0)" })
    // What is written behind the torn end is there after another restart.
    let other = try again.makeStream("t", at: 2, isSafe: true).stream
    try again.append([(other.id, batch([(20, "new")]))], ingestion: 2)
    let third = try LogFolder(path: path)
    #expect(third.search(LogSearch()).events.last?.text == "new" && third.stream("t") == other)
  }

  @Test func segmentsAreClosedAndRemoved() throws {
    let path = newDirectory()
    let folder = try LogFolder(path: path)
    defer { folder.removeAll() }
    let stream = try folder.makeStream("s", at: 1, isSafe: false).stream
    let day: Int64 = 86_400_000
    for i in 0..<4 {
      try folder.append([(stream.id, batch([(Int64(i) * 2 * day, "e\(i)")]))], ingestion: Int64(i) * 2 * day)
    }
    #expect(Files.names(in: path).filter { $0.hasSuffix(".index") }.count == 3)
    #expect(folder.remove(before: 3 * day) > 0)
    #expect(folder.search(LogSearch()).events.map(\.text) == ["e2", "e3"])
    #expect(try LogFolder(path: path).search(LogSearch()).events.map(\.text) == ["e2", "e3"])
    #expect(folder.removeOldest() > 0)
    #expect(folder.search(LogSearch()).events.map(\.text) == ["e3"])
    folder.remove(before: 100 * day)
    #expect(folder.size == 0)
    try folder.close()  // there is no file any more, and nothing to be made safe
    try folder.append([(stream.id, batch([(day, "again")]))], ingestion: day)
    #expect(folder.search(LogSearch()).events.map(\.text) == ["again"])
  }

  /// Whatever the order in which events are written, pages give all of them in the order of their times.
  @Test func pagesGiveEverythingInOrder() throws {
    var random = SplitMix(seed: 4)
    for round in 0..<20 {
      let folder = try LogFolder(path: newDirectory())
      defer { folder.removeAll() }
      var expected: [(Int64, Int)] = []
      for i in 0..<40 {
        let name = "s\(random.next() % 3)"
        let stream = try folder.makeStream(name, at: 0, isSafe: false).stream
        let events = (0..<Int(1 + random.next() % 5)).map { _ in Int64(random.next() % 50) }.sorted()
        try folder.append([(stream.id, batch(events.map { ($0, "\(i)") }))], ingestion: 0)
        expected += events.map { ($0, i) }
      }
      expected.sort { $0 < $1 }
      for isAscending in [true, false] {
        var (found, after): ([(Int64, Int)], LogPosition?) = ([], nil)
        var isComplete = false
        while !isComplete {
          var search = LogSearch()
          (search.limit, search.after, search.isAscending) = (1 + round, after, isAscending)
          let page = folder.search(search)
          found += page.events.map { ($0.position.time, Int($0.text) ?? -1) }
          (isComplete, after) = (page.isComplete, page.events.last?.position ?? after)
          #expect(page.events.count == search.limit || isComplete)
        }
        if !isAscending { found.reverse() }
        #expect(found.elementsEqual(expected) { $0 == $1 })
      }
    }
  }

  @Test func pagesHaveASize() throws {
    let folder = try LogFolder(path: newDirectory())
    defer { folder.removeAll() }
    let stream = try folder.makeStream("s", at: 0, isSafe: false).stream
    let text = String(repeating: "x", count: 300)
    try folder.append([(stream.id, batch((0..<10).map { (Int64($0), text) }))], ingestion: 0)
    var search = LogSearch()
    search.bytes = 1000
    let page = folder.search(search)
    #expect(page.events.count == 3 && !page.isComplete)
  }

  @Test func streamsAreWrittenDown() {
    var table = LogStreamTable()
    var lines = ""
    let (a, first) = table.make("a\n\"", at: 5)
    lines += first
    lines += table.make("b", at: 6).line
    lines += table.delete("b")?.line ?? ""
    lines += table.make("b", at: 7).line
    #expect(table.delete("no") == nil)
    let read = LogStreamTable(lines: lines + "\n{\"id\":")
    #expect(read.byName == table.byName && read.byName["a\n\""] == a && read.byName["b"]?.id == 3)
  }

  @Test func tokensAndIdentifiers() {
    let position = LogPosition(time: 1_800_000_000_000, segment: 3, offset: 99)
    let token = EventToken(isForward: true, position: position)
    #expect(token.text.count == 60 && EventToken(token.text) == token)
    for text in ["", "f/1/s", "x" + token.text, token.text.dropLast() + "x"] {
      #expect(EventToken(String(text)) == nil)
    }
  }

  @Test func gzipIsWhatItSays() {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let out = Gzip.stored(bytes)
    #expect(out.readableBytes == 10 + 4 * 5 + bytes.count + 8)
    #expect(Gzip.stored([]).readableBytes == 23)
  }
}
