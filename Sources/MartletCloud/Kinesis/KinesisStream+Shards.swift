// Which shard a hash key belongs to, and how shards are split, merged and scaled: pure, and in place.
// https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html
import MartletCore

extension KinesisStream {
  /// `count` ranges of the same size, of which the last one has the rest.
  static func ranges(_ count: Int) -> [ClosedRange<UInt128>] {
    if count == 1 { return [0...UInt128.max] }
    // 2^128 itself has no place in the type.
    let whole = UInt128(count)
    let size = UInt128.max / whole + (UInt128.max % whole == whole - 1 ? 1 : 0)
    return (0..<count).map { i in
      let low = size * UInt128(i)
      return low...(i == count - 1 ? UInt128.max : low + size - 1)
    }
  }

  /// The open shard that has a hash key.
  func shard(for hash: UInt128) -> KinesisShard? {
    var (low, high) = (0, open.count)
    while low < high {
      let middle = (low + high) / 2
      if shards[open[middle]].high < hash { low = middle + 1 } else { high = middle }
    }
    return low < open.count ? shards[open[low]] : nil
  }

  func shard(_ index: Int) -> KinesisShard? { position(index).map { shards[$0] } }

  func position(_ index: Int) -> Int? {
    // They are in the order of their numbers; the oldest ones may be gone.
    guard let first = shards.first?.index, index >= first, index - first < shards.count else {
      return shards.firstIndex { $0.index == index }
    }
    return shards[index - first].index == index ? index - first : shards.firstIndex { $0.index == index }
  }

  /// The shards that were made of one.
  func children(of index: Int) -> [KinesisShard] { shards.filter { $0.parents.contains(index) } }

  /// Those that still may hold records: a closed one is gone when all that it had is too old.
  func visible(at now: Int64) -> [KinesisShard] {
    let horizon = horizon(now)
    return shards.filter { $0.closed.map { $0 > horizon } ?? true }
  }

  // MARK: - Changes

  private mutating func add(_ range: ClosedRange<UInt128>, parents: [KinesisShard], at now: Int64) {
    let stamp = max(now / 1000, (parents.map(\.stamp).max() ?? -1) + 1)
    let index = nextShard
    nextShard += 1
    append(KinesisShard(index: index, parents: parents.map(\.index), range, opened: now, stamp: stamp))
  }

  /// The first shards of a stream.
  mutating func begin(_ count: Int, at now: Int64) {
    for range in KinesisStream.ranges(count) { add(range, parents: [], at: now) }
  }

  /// Splits an open shard: `key` is the first one of the second part, and neither part is empty.
  mutating func split(_ shard: KinesisShard, at key: UInt128, now: Int64) {
    precondition(shard.isOpen && key > shard.low && key <= shard.high, "a split has two parts")
    close(shard.index, at: now)
    add(shard.low...(key - 1), parents: [shard], at: now)
    add(key...shard.high, parents: [shard], at: now)
  }

  /// Merges two open shards that are next to each other.
  mutating func merge(_ one: KinesisShard, _ other: KinesisShard, now: Int64) {
    precondition(one.isOpen && other.isOpen && KinesisStream.areAdjacent(one, other), "only neighbours are merged")
    close(one.index, at: now)
    close(other.index, at: now)
    add(min(one.low, other.low)...max(one.high, other.high), parents: [one, other], at: now)
  }

  static func areAdjacent(_ one: KinesisShard, _ other: KinesisShard) -> Bool {
    let (first, second) = one.low < other.low ? (one, other) : (other, one)
    return first.high < UInt128.max && first.high + 1 == second.low
  }

  /// Brings the stream to `count` open shards of the same size, by splits and merges as AWS does.
  mutating func scale(to count: Int, now: Int64) {
    let wanted = KinesisStream.ranges(count)
    for range in wanted where range.lowerBound > 0 {
      guard let shard = shard(for: range.lowerBound), shard.low < range.lowerBound else { continue }
      split(shard, at: range.lowerBound, now: now)
    }
    for range in wanted {
      while let shard = shard(for: range.lowerBound), shard.high < range.upperBound,
        let next = self.shard(for: shard.high + 1)
      {
        merge(shard, next, now: now)
      }
    }
  }

  /// Takes away what is closed and too old.
  mutating func prune(at now: Int64) {
    let horizon = horizon(now)
    removeShards { $0.closed.map { $0 <= horizon } ?? false }
  }
}
