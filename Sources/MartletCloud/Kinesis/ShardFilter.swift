// Which shards ListShards shows.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ShardFilter.html
import MartletCore
import MartletWire

struct ShardFilter: Sendable {
  let type: String
  let shard: String?
  /// Milliseconds since 1970.
  let time: Int64?

  /// All that may hold records.
  static let all = ShardFilter(type: "FROM_TRIM_HORIZON")

  private static let types = [
    "AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP",
  ]

  private init(type: String) {
    self.type = type
    shard = nil
    time = nil
  }

  init(_ m: Members) {
    type = m.required("Type", .oneOf(ShardFilter.types))
    shard = m.shard("ShardId")
    time = m.moment("Timestamp").map { Int64(min(max($0, -9e9), 9e9) * 1000) }
  }

  /// The shards in the order of their numbers.
  func choose(_ stream: KinesisStream, at now: Int64) throws(AWSError) -> [KinesisShard] {
    let visible = stream.visible(at: now)
    switch type {
    case "AFTER_SHARD_ID":
      guard let shard else { throw .kinesisInvalid("ShardId must be specified for the ShardFilter AFTER_SHARD_ID.") }
      return visible.filter { $0.id > shard }
    case "AT_LATEST": return visible.filter(\.isOpen)
    case "AT_TRIM_HORIZON": return at(max(stream.horizon(now), stream.created), visible)
    case "AT_TIMESTAMP", "FROM_TIMESTAMP":
      guard let time else { throw .kinesisInvalid("Timestamp must be specified for the ShardFilter \(type).") }
      let moment = max(time, stream.horizon(now))
      return type == "AT_TIMESTAMP" ? at(moment, visible) : visible.filter { $0.closed.map { $0 >= moment } ?? true }
    default: return visible
    }
  }

  /// Those that were open then.
  private func at(_ moment: Int64, _ shards: [KinesisShard]) -> [KinesisShard] {
    shards.filter { shard in shard.opened <= moment && (shard.closed.map { $0 >= moment } ?? true) }
  }
}
