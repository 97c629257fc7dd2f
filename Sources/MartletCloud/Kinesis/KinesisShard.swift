// One shard of a stream: a range of hash keys, and the time for which records of that range went there.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Shard.html
import MartletCore
import MartletWire

struct KinesisShard: Sendable, Equatable {
  let index: Int
  /// The shards that it was made of.
  var parents: [Int] = []
  let low: UInt128
  let high: UInt128
  /// Milliseconds since 1970.
  let opened: Int64
  /// Milliseconds since 1970; nil while records come.
  var closed: Int64?
  /// The time in its sequence numbers, in seconds since 1970: later than that of its parents.
  let stamp: Int64

  init(index: Int, parents: [Int] = [], _ range: ClosedRange<UInt128>, opened: Int64, stamp: Int64) {
    self.index = index
    self.parents = parents
    low = range.lowerBound
    high = range.upperBound
    self.opened = opened
    self.stamp = stamp
  }

  var isOpen: Bool { closed == nil }
  var id: String { KinesisShard.id(index) }

  static func id(_ index: Int) -> String {
    let digits = String(index)
    return "shardId-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }

  /// nil for what is no id of a shard.
  static func index(_ id: String) -> Int? {
    guard id.hasPrefix("shardId-") else { return nil }
    let digits = id.dropFirst(8)
    guard digits.utf8.count == 12, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(digits)
  }

  /// The key's place among the hash keys: its MD5 as a number.
  static func hash(_ key: String) -> UInt128 {
    let stream = DigestStream(.md5)
    var key = key
    key.withUTF8 { stream.append(UnsafeRawBufferPointer($0)) }
    return stream.finish().reduce(0) { $0 << 8 | UInt128($1) }
  }

  // MARK: - In the document

  var json: JSONValue {
    .members(
      ("index", .integer(Int64(index))), ("parents", .array(parents.map { .integer(Int64($0)) })),
      ("low", .string(String(low))), ("high", .string(String(high))), ("opened", .integer(opened)),
      ("closed", closed.map { .integer($0) }), ("stamp", .integer(stamp)))
  }

  init?(_ json: JSONValue) {
    guard let index = json["index"]?.integer, let low = json["low"]?.string.flatMap({ UInt128($0) }),
      let high = json["high"]?.string.flatMap({ UInt128($0) }), low <= high, let opened = json["opened"]?.integer,
      let stamp = json["stamp"]?.integer
    else { return nil }
    self.init(
      index: index, parents: (json["parents"]?.array ?? []).compactMap(\.integer), low...high, opened: Int64(opened),
      stamp: Int64(stamp))
    closed = json["closed"]?.integer.map { Int64($0) }
  }

  // MARK: - In answers

  func write(to w: inout MemberWriter) {
    w.member("ShardId", id)
    w.member("ParentShardId", parents.first.map { KinesisShard.id($0) })
    w.member("AdjacentParentShardId", parents.count > 1 ? KinesisShard.id(parents[1]) : nil)
    writeRange(to: &w)
    w.object("SequenceNumberRange") { w in
      w.member("StartingSequenceNumber", SequenceNumber.first(of: self).text)
      w.member("EndingSequenceNumber", closed.map { SequenceNumber.last(of: self, closed: $0).text })
    }
  }

  /// As GetRecords shows it at the end of a parent.
  func writeChild(to w: inout MemberWriter) {
    w.member("ShardId", id)
    w.member("ParentShards", parents.map { KinesisShard.id($0) })
    writeRange(to: &w)
  }

  private func writeRange(to w: inout MemberWriter) {
    w.object("HashKeyRange") { w in
      w.member("StartingHashKey", String(low))
      w.member("EndingHashKey", String(high))
    }
  }
}
