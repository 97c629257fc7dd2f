// The form in which log events lie on disk: a segment is a file of blocks, a block a batch of events of one stream.
import MartletCore
import MartletWire
import NIOCore

/// Where an event lies, and at once the order of events: by time, then by arrival.
struct LogPosition: Comparable, Hashable, Sendable {
  /// Milliseconds since 1970.
  let time: Int64
  let segment: UInt32
  /// Of its record, in bytes from the beginning of the segment.
  let offset: UInt32

  static func < (a: LogPosition, b: LogPosition) -> Bool {
    a.time != b.time ? a.time < b.time : a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset
  }
}

/// The head of a block. Everything that a search needs to pass over it.
struct LogBlock: Equatable, Sendable {
  /// Of the records behind the head, in bytes.
  let length: Int
  let count: Int
  /// Number of the stream in its group.
  let stream: UInt32
  /// Times of its events, in milliseconds since 1970.
  let oldest: Int64
  let newest: Int64
  /// When it was written.
  let ingestion: Int64

  /// Bytes in front of the records.
  static let head = 44
  private static let magic: UInt32 = 0x3142_4c4d
  /// No batch is larger: the writer cuts them.
  static let largest = 8 << 20

  /// Bytes of the whole block.
  var size: Int { LogBlock.head + length }

  /// A block as it is written.
  static func bytes(_ batch: LogBatch, stream: UInt32, ingestion: Int64) -> ByteBuffer {
    var fields = ByteBuffer()
    fields.writeInteger(UInt32(batch.size), endianness: .little)
    fields.writeInteger(UInt32(batch.count), endianness: .little)
    fields.writeInteger(stream, endianness: .little)
    fields.writeInteger(batch.oldest, endianness: .little)
    fields.writeInteger(batch.newest, endianness: .little)
    fields.writeInteger(ingestion, endianness: .little)
    var check = CRC32()
    check.update(fields)
    check.update(batch.records)
    var block = ByteBuffer()
    block.reserveCapacity(head + batch.size)
    block.writeInteger(magic, endianness: .little)
    block.writeInteger(check.value, endianness: .little)
    block.writeImmutableBuffer(fields)
    block.writeImmutableBuffer(batch.records)
    return block
  }

  /// The block that begins at `offset`; nil at the end, and where there is none.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard offset >= 0, offset + LogBlock.head <= bytes.count, bytes.number(at: offset) == LogBlock.magic else {
      return nil
    }
    length = Int(bytes.number(at: offset + 8) as UInt32)
    count = Int(bytes.number(at: offset + 12) as UInt32)
    stream = bytes.number(at: offset + 16)
    oldest = bytes.number(at: offset + 20)
    newest = bytes.number(at: offset + 28)
    ingestion = bytes.number(at: offset + 36)
    guard offset + LogBlock.head + length <= bytes.count else { return nil }
  }

  /// True if the block at `offset` is what was written.
  func isWhole(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    var check = CRC32()
    check.update(UnsafeRawBufferPointer(rebasing: bytes[(offset + 8)..<(offset + size)]))
    return check.value == bytes.number(at: offset + 4)
  }

  /// How much of a segment is whole: what a crash left behind that is thrown away.
  static func wholeLength(_ bytes: UnsafeRawBufferPointer) -> Int {
    var offset = 0
    while let block = LogBlock(bytes, at: offset), block.isWhole(bytes, at: offset) { offset += block.size }
    return offset
  }

  /// The records of the block at `offset`, one after the other, until `body` returns false.
  func forEachRecord(
    _ bytes: UnsafeRawBufferPointer, at offset: Int,
    _ body: (_ offset: Int, _ time: Int64, _ text: UnsafeRawBufferPointer) -> Bool
  ) {
    var position = offset + LogBlock.head
    let end = offset + size
    while position + LogBatch.recordHead <= end {
      let time: Int64 = bytes.number(at: position)
      let start = position + LogBatch.recordHead
      let stop = start + Int(bytes.number(at: position + 8) as UInt32)
      guard stop <= end else { return }
      guard body(position, time, UnsafeRawBufferPointer(rebasing: bytes[start..<stop])) else { return }
      position = stop
    }
  }
}

extension UnsafeRawBufferPointer {
  /// A number in the order of bytes of the format.
  func number<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> T {
    T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}
