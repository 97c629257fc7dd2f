// The events of one log group on disk: a directory of segments, of which the last one grows. Written by one thread.
import Glibc
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

final class LogFolder: Sendable {
  struct State: Sendable {
    var segments: [LogSegment] = []
    var streams = LogStreamTable()
    /// What is known of the events of each stream, of all segments together.
    var shares: [UInt32: LogSegment.Share] = [:]
    var isRemoved = false

    mutating func gather() {
      shares = [:]
      for segment in segments {
        for (stream, share) in segment.shares { shares[stream, default: .init()].add(share) }
      }
    }
  }

  let path: String
  let state: Mutex<State>

  /// A segment is closed when it is this large, or this old.
  static let largestSegment = 16 << 20
  static let longestSegment: Int64 = 86_400_000

  /// Opens or makes the directory. Blocking. What a crash has left half written at the end of a segment is cut off.
  init(path: String) throws(Fault) {
    self.path = path
    try Files.makeDirectory(path)
    var state = State()
    let names = Files.names(in: path)
    for number in names.compactMap({ $0.hasSuffix(".log") ? UInt32($0.dropLast(4)) : nil }).sorted() {
      let segment = try LogFolder.load(number, in: path)
      if segment.size > 0 { state.segments.append(segment) } else { LogFolder.unlink(number, in: path) }
    }
    if names.contains("streams") {
      state.streams = LogStreamTable(lines: String(decoding: try Files.read("\(path)/streams"), as: UTF8.self))
    }
    state.gather()
    self.state = Mutex(state)
  }

  private static func load(_ number: UInt32, in path: String) throws(Fault) -> LogSegment {
    let file = LogFolder.file(number, in: path)
    var status = stat()
    guard stat(file, &status) == 0 else { throw Fault("look at \(file)", errno: errno) }
    let size = Int(status.st_size)
    let index = file + ".index"
    if Files.exists(index), let segment = LogSegment(number: number, index: try Files.read(index), fileSize: size) {
      return segment
    }
    guard size > 0 else { return LogSegment(number: number) }
    guard let mapped = MappedFile(file, length: size) else { throw Fault("read \(file)", errno: errno) }
    let segment = LogSegment(number: number, scanning: mapped.bytes)
    if segment.size < size, truncate(file, off_t(segment.size)) != 0 { throw Fault("cut \(file)", errno: errno) }
    return segment
  }

  static func file(_ number: UInt32, in path: String) -> String {
    let digits = String(number)
    return "\(path)/\(String(repeating: "0", count: 10 - digits.count))\(digits).log"
  }

  private static func unlink(_ number: UInt32, in path: String) {
    let file = file(number, in: path)
    _ = Glibc.unlink(file)
    _ = Glibc.unlink(file + ".index")
  }

  // MARK: - What is known

  func stream(_ name: String) -> LogStream? { state.withLock { $0.streams.byName[name] } }

  /// Bytes on disk.
  var size: Int { state.withLock { $0.segments.reduce(0) { $0 + $1.size } } }

  /// Bytes of the texts of the events.
  var textBytes: Int { state.withLock { $0.segments.reduce(0) { $0 + $1.textBytes } } }

  /// The newest event of the oldest segment: that is when retention has something to remove.
  var expiry: Int64? { state.withLock { $0.segments.filter { $0.size > 0 }.map(\.newest).min() } }

  /// When the first block of the oldest segment was written.
  var oldestIngestion: Int64? { state.withLock { $0.segments.first { $0.size > 0 }?.began } }

  // MARK: - Changes

  /// Appends to the file of the streams. - Parameter isSafe: it is on disk when this returns.
  private func note(_ line: String, isSafe: Bool) throws(Fault) {
    try LogFolder.append(ByteBuffer(string: line), to: "\(path)/streams", isSafe: isSafe)
  }

  /// The stream of that name, made if there is none. Blocking.
  func makeStream(_ name: String, at now: Int64, isSafe: Bool) throws(Fault) -> (stream: LogStream, isNew: Bool) {
    let (stream, line) = state.withLock { state -> (LogStream, String?) in
      if let stream = state.streams.byName[name] { return (stream, nil) }
      return state.streams.make(name, at: now)
    }
    if let line { try note(line, isSafe: isSafe) }
    return (stream, line != nil)
  }

  /// False if there is no such stream. Blocking.
  func deleteStream(_ name: String) throws(Fault) -> Bool {
    let line = state.withLock { state -> String? in
      guard let (stream, line) = state.streams.delete(name) else { return nil }
      state.shares[stream.id] = nil
      return line
    }
    if let line { try note(line, isSafe: true) }
    return line != nil
  }

  /// Appends batches. Blocking; by one thread at a time.
  func append(_ batches: [(stream: UInt32, batch: LogBatch)], ingestion: Int64) throws(Fault) {
    let segment = try room(at: ingestion)
    var out = ByteBuffer()
    var blocks: [LogBlock] = []
    for (stream, batch) in batches where !batch.isEmpty {
      let block = LogBlock.bytes(batch, stream: stream, ingestion: ingestion)
      if let head = block.withUnsafeReadableBytes({ LogBlock($0, at: 0) }) { blocks.append(head) }
      if out.readableBytes == 0 { out = block } else { out.writeImmutableBuffer(block) }
    }
    guard !blocks.isEmpty, state.withLock({ !$0.isRemoved }) else { return }
    try LogFolder.append(out, to: LogFolder.file(segment.number, in: path), at: segment.size)
    state.withLock { state in
      if state.segments.last?.number != segment.number { state.segments.append(segment) }
      for block in blocks {
        state.segments[state.segments.count - 1].add(block)
        if state.streams.byID[block.stream] != nil { state.shares[block.stream, default: .init()].add(block.share) }
      }
    }
  }

  /// The segment that grows, or a new one if it is full or old.
  private func room(at now: Int64) throws(Fault) -> LogSegment {
    guard let last = state.withLock({ $0.segments.last }) else { return LogSegment(number: 1) }
    let isOld = last.began.map { now - $0 > LogFolder.longestSegment } ?? false
    guard last.size >= LogFolder.largestSegment || isOld else { return last }
    try seal(last)
    return LogSegment(number: last.number + 1)
  }

  /// Nothing will be added: what is known of it is written down, and all of it is safe.
  private func seal(_ segment: LogSegment) throws(Fault) {
    let file = LogFolder.file(segment.number, in: path)
    try LogFolder.synchronize(file)
    let index = segment.index
    let written = index.withUnsafeBytes { bytes -> Result<Void, Fault> in
      do throws(Fault) { return .success(try Files.writeDurably(bytes, to: file + ".index")) } catch {
        return .failure(error)
      }
    }
    try written.get()
  }

  /// Makes everything safe, because the server stops.
  func close() throws(Fault) {
    // One in which nothing is yet, after retention has removed everything, has no file.
    guard let last = state.withLock({ $0.isRemoved ? nil : $0.segments.last }), last.size > 0 else { return }
    try LogFolder.synchronize(LogFolder.file(last.number, in: path))
  }

  private static func synchronize(_ file: String) throws(Fault) {
    let descriptor = open(file, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Fault("open \(file)", errno: errno) }
    defer { Glibc.close(descriptor) }
    guard fdatasync(descriptor) == 0 else { throw Fault("fsync \(file)", errno: errno) }
  }

  /// - Parameter offset: where to write; nil = at the end.
  private static func append(
    _ buffer: ByteBuffer, to file: String, at offset: Int? = nil, isSafe: Bool = false
  ) throws(Fault) {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | (offset == nil ? O_APPEND : 0), 0o600)
    guard descriptor >= 0 else { throw Fault("open \(file)", errno: errno) }
    defer { Glibc.close(descriptor) }
    let failure = buffer.withUnsafeReadableBytes { bytes -> CInt? in
      var done = 0
      while done < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let count =
          offset.map { pwrite(descriptor, rest.baseAddress, rest.count, off_t($0 + done)) }
          ?? Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return errno }
        done += count
      }
      return nil
    }
    if let failure { throw Fault("write \(file)", errno: failure) }
    if isSafe, fdatasync(descriptor) != 0 { throw Fault("fsync \(file)", errno: errno) }
  }

  // MARK: - Removal

  /// Removes the segments in which nothing is as new as `moment`. Blocking; on the thread that appends.
  /// - Returns: how many bytes that was.
  @discardableResult
  func remove(before moment: Int64) -> Int { remove { $0.newest < moment } }

  /// Removes the oldest segment.
  @discardableResult
  func removeOldest() -> Int {
    let first = state.withLock { $0.segments.first { $0.size > 0 }?.number }
    return remove { $0.number == first }
  }

  private func remove(_ isGone: (LogSegment) -> Bool) -> Int {
    let gone = state.withLock { state -> [LogSegment] in
      let gone = state.segments.filter(isGone)
      guard !gone.isEmpty else { return [] }
      state.segments.removeAll(where: isGone)
      // Numbers of segments are never used twice, so that a token of yesterday does not point into another one.
      if state.segments.isEmpty, let last = gone.last {
        state.segments.append(LogSegment(number: last.number + 1))
      }
      state.gather()
      return gone
    }
    for segment in gone { LogFolder.unlink(segment.number, in: path) }
    return gone.reduce(0) { $0 + $1.size }
  }

  /// The group is gone.
  func removeAll() {
    state.withLock { state in
      state.isRemoved = true
      state.segments = []
      state.shares = [:]
      state.streams = LogStreamTable()
    }
    for name in Files.names(in: path) { _ = Glibc.unlink("\(path)/\(name)") }
    rmdir(path)
  }
}
