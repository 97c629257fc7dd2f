// A place in a shard from which records are read on: a text that clients hand back, and that expires.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
import MartletCore
import MartletWire
import NIOCore

struct ShardIterator: Hashable, Sendable {
  let place: Place
  let stream: String
  /// Of the stream, so that one of the same name that is made later is not read.
  let store: Int64
  let shard: Int
  /// The number of the last record that was read, or any in front of the first one.
  let after: Int64
  /// Milliseconds since 1970.
  let created: Int64

  /// For how long it can be used. Milliseconds.
  static let life: Int64 = 300_000

  init(_ stream: KinesisStream, shard: Int, after: Int64, created: Int64) {
    self.init(
      place: stream.key.place, stream: stream.key.name, store: stream.store, shard: shard, after: after,
      created: created)
  }

  private init(place: Place, stream: String, store: Int64, shard: Int, after: Int64, created: Int64) {
    self.place = place
    self.stream = stream
    self.store = store
    self.shard = shard
    self.after = after
    self.created = created
  }

  func isExpired(at now: Int64) -> Bool { now - created > ShardIterator.life }

  // MARK: - As text

  var text: String {
    let content = "\(place.account)/\(place.region)/\(stream)/\(store)/\(shard)/\(after)/\(created)"
    return Base64.encode(Array("\(content)/\(ShardIterator.check(content))".utf8))
  }

  /// nil for what was never given out.
  init?(_ text: String) {
    guard let bytes = Base64.decode(text) else { return nil }
    let parts = String(buffer: bytes).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 8, ShardIterator.check(parts.dropLast().joined(separator: "/")) == parts[7],
      let account = Account(parts[0]), let region = Region(parts[1]), let store = Int64(parts[3]),
      let shard = Int(parts[4]), let after = Int64(parts[5]), let created = Int64(parts[6])
    else { return nil }
    self.init(
      place: Place(account: account, region: region), stream: parts[2], store: store, shard: shard, after: after,
      created: created)
  }

  private static func check(_ content: String) -> String {
    var check = CRC32()
    check.update(ByteBuffer(string: content))
    return String(check.value, radix: 16)
  }
}
