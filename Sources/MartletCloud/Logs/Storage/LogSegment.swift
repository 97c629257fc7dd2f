// What is known of a segment without reading it, and the file beside it in which that is kept once nothing is added.
import MartletCore
import MartletWire
import NIOCore

struct LogSegment: Equatable, Sendable {
  /// What a segment holds of one stream.
  struct Share: Equatable, Sendable {
    var count = 0
    /// Of the texts, in bytes.
    var bytes = 0
    var oldest = Int64.max
    var newest = Int64.min
    var ingestion = Int64.min

    mutating func add(_ other: Share) {
      count += other.count
      bytes += other.bytes
      oldest = min(oldest, other.oldest)
      newest = max(newest, other.newest)
      ingestion = max(ingestion, other.ingestion)
    }
  }

  let number: UInt32
  /// Bytes that are written and whole.
  var size = 0
  /// When its first block was written, in milliseconds since 1970.
  var began: Int64?
  private(set) var shares: [UInt32: Share] = [:]
  private(set) var oldest = Int64.max
  private(set) var newest = Int64.min

  init(number: UInt32) { self.number = number }

  /// A block was written at its end.
  mutating func add(_ block: LogBlock) {
    size += block.size
    began = began ?? block.ingestion
    shares[block.stream, default: Share()].add(block.share)
    oldest = min(oldest, block.oldest)
    newest = max(newest, block.newest)
  }

  /// Of the segment with these bytes; what is not whole at its end does not count.
  init(number: UInt32, scanning bytes: UnsafeRawBufferPointer) {
    self.number = number
    let length = LogBlock.wholeLength(bytes)
    var offset = 0
    while offset < length, let block = LogBlock(bytes, at: offset) {
      add(block)
      offset += block.size
    }
  }

  /// The texts of the events, in bytes.
  var textBytes: Int { shares.values.reduce(0) { $0 + $1.bytes } }

  // MARK: - The index

  /// The index as it is kept.
  var index: [UInt8] {
    var out = ByteBuffer()
    out.writeInteger(UInt64(size), endianness: .little)
    out.writeInteger(began ?? 0, endianness: .little)
    out.writeInteger(UInt32(shares.count), endianness: .little)
    for (stream, share) in shares.sorted(by: { $0.key < $1.key }) {
      out.writeInteger(stream, endianness: .little)
      out.writeInteger(UInt64(share.count), endianness: .little)
      out.writeInteger(UInt64(share.bytes), endianness: .little)
      for time in [share.oldest, share.newest, share.ingestion] { out.writeInteger(time, endianness: .little) }
    }
    var check = CRC32()
    check.update(out)
    out.writeInteger(check.value, endianness: .little)
    return Array(out.readableBytesView)
  }

  /// nil if the index is damaged, or of another size than the file: then the segment is read instead.
  init?(number: UInt32, index: [UInt8], fileSize: Int) {
    self.number = number
    guard index.count >= 24 else { return nil }
    var check = CRC32()
    index.withUnsafeBytes { check.update(UnsafeRawBufferPointer(rebasing: $0.dropLast(4))) }
    let isWhole = index.withUnsafeBytes { $0.number(at: index.count - 4) == check.value }
    var input = ByteBuffer(bytes: index.dropLast(4))
    guard isWhole, let size = input.readInteger(endianness: .little, as: UInt64.self), Int(size) == fileSize,
      let began = input.readInteger(endianness: .little, as: Int64.self),
      let count = input.readInteger(endianness: .little, as: UInt32.self)
    else { return nil }
    self.size = Int(size)
    self.began = began
    for _ in 0..<count {
      guard let stream = input.readInteger(endianness: .little, as: UInt32.self),
        let events = input.readInteger(endianness: .little, as: UInt64.self),
        let bytes = input.readInteger(endianness: .little, as: UInt64.self),
        let first = input.readInteger(endianness: .little, as: Int64.self),
        let last = input.readInteger(endianness: .little, as: Int64.self),
        let ingestion = input.readInteger(endianness: .little, as: Int64.self)
      else { return nil }
      shares[stream] = Share(
        count: Int(events), bytes: Int(bytes), oldest: first, newest: last, ingestion: ingestion)
      oldest = min(oldest, first)
      newest = max(newest, last)
    }
    guard input.readableBytes == 0 else { return nil }
  }
}

extension LogBlock {
  var share: LogSegment.Share {
    LogSegment.Share(
      count: count, bytes: length - count * LogBatch.recordHead, oldest: oldest, newest: newest, ingestion: ingestion)
  }
}
