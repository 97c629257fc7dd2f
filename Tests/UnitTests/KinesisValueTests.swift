// Values of Kinesis: numbers of records, iterators, and the ranges of shards under any splits and merges.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct KinesisValueTests {
  private func place() throws -> Place {
    Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
  }

  @Test func numbersAreAsOnAWS() throws {
    // 0x2 047ca2ff4 0 0000000000000001 00 047ca2ff5 00000003 2, told by another program.
    let number = SequenceNumber(shardCreated: 0x047c_a2ff4, index: 1, time: 0x047c_a2ff5, shard: 3)
    #expect(number.text == KinesisValueTests.digits)
    #expect(SequenceNumber(KinesisValueTests.digits) == number)
  }

  private static let digits = "49469613321385489723349936954381300714251625370927235122"

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func numbersCrossTheWire(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var last: SequenceNumber?
    for _ in 0..<2000 {
      let number = SequenceNumber(
        shardCreated: Int64(random.next() >> 28), index: random.next() >> 1, time: Int64(random.next() >> 28),
        shard: UInt32(truncatingIfNeeded: random.next()))
      #expect(number.text.utf8.count == 56 && SequenceNumber(number.text) == number)
      if let last, last.shardCreated == number.shardCreated {
        #expect((last.text < number.text) == (last.index < number.index))
      }
      last = number
      let damaged = String(decoding: random.mutated(Array(number.text.utf8)), as: UTF8.self)
      if let read = SequenceNumber(damaged) { #expect(read.text == damaged || damaged.first == "0") }
    }
    for text in ["", "0", "1", "x", String(repeating: "9", count: 56), String(repeating: "9", count: 129)] {
      #expect(SequenceNumber(text) == nil, "\(text)")
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func iteratorsCrossTheWire(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var stream = KinesisStream(
      key: ResourceKey(place: try place(), name: String(repeating: "n", count: 128)), store: Int64(random.next() >> 2),
      created: 0, mode: .provisioned)
    stream.begin(1, at: 0)
    let iterator = ShardIterator(
      stream, shard: Int(random.next() >> 40), after: Int64(random.next() >> 1), created: Int64(random.next() >> 20))
    #expect(iterator.text.utf8.count <= 512 && ShardIterator(iterator.text) == iterator)
    for _ in 0..<2000 {
      let damaged = String(decoding: random.mutated(Array(iterator.text.utf8)), as: UTF8.self)
      #expect(ShardIterator(damaged).map { $0 == iterator } ?? true)
    }
    #expect(!iterator.isExpired(at: iterator.created + 300_000) && iterator.isExpired(at: iterator.created + 300_001))
  }

  @Test(arguments: [1, 2, 3, 4, 7, 100]) func rangesCoverEveryKey(_ count: Int) {
    let ranges = KinesisStream.ranges(count)
    #expect(ranges.count == count && ranges.first?.lowerBound == 0 && ranges.last?.upperBound == .max)
    for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.upperBound + 1 == next.lowerBound) }
  }

  @Test func rangesAreAsOnAWS() {
    #expect(
      KinesisStream.ranges(3).map { String($0.lowerBound) }
        == ["0", "113427455640312821154458202477256070485", "226854911280625642308916404954512140970"])
  }

  /// Whatever is split, merged and scaled: the open shards cover every hash key once, and parents are older.
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func reshardingCoversEveryKey(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var stream = KinesisStream(
      key: ResourceKey(place: try place(), name: "s"), store: 1, created: 0, mode: .provisioned)
    stream.begin(Int(random.next() % 5) + 1, at: 0)
    for step in 0..<60 {
      let now = Int64(step) * 700
      let open = stream.open.map { stream.shards[$0] }
      switch random.next() % 3 {
      case 0:
        let shard = open[Int(random.next() % UInt64(open.count))]
        let key = shard.low + UInt128(random.next()) % max(1, shard.high - shard.low) + 1
        if key > shard.low, key <= shard.high { stream.split(shard, at: key, now: now) }
      case 1:
        guard open.count > 1 else { continue }
        let first = Int(random.next() % UInt64(open.count - 1))
        stream.merge(open[first], open[first + 1], now: now)
      default:
        let count = Int(random.next() % 12) + 1
        stream.scale(to: count, now: now)
        #expect(stream.open.map { stream.shards[$0].low...stream.shards[$0].high } == KinesisStream.ranges(count))
      }
      let ranges = stream.open.map { stream.shards[$0] }
      #expect(ranges.first?.low == 0 && ranges.last?.high == .max)
      for (one, next) in zip(ranges, ranges.dropFirst()) { #expect(one.high + 1 == next.low) }
      for _ in 0..<10 {
        let hash = UInt128(random.next()) << 64 | UInt128(random.next())
        let shard = try #require(stream.shard(for: hash))
        #expect(shard.isOpen && (shard.low...shard.high).contains(hash))
      }
      for shard in stream.shards {
        for parent in shard.parents.compactMap({ stream.shard($0) }) {
          #expect(parent.stamp < shard.stamp && !parent.isOpen)
        }
      }
    }
    let read = try KinesisStream(document: stream.document, key: stream.key)
    #expect(read.shards == stream.shards && read.open == stream.open && read.document == stream.document)
    stream.prune(at: 60 * 700 + 24 * 3_600_000)
    #expect(stream.shards.allSatisfy(\.isOpen) && stream.shards.count == stream.open.count)
  }
}
