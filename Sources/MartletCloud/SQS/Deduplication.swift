// What a FIFO queue was sent in the last five minutes: whoever sends it again gets the first answer again.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html

struct Deduplication: Sendable {
  struct Known: Sendable, Equatable {
    let message: String
    let sequence: Int64
    /// Milliseconds since 1970.
    let sent: Int64
  }

  /// Milliseconds.
  static let interval: Int64 = 300_000

  private var known: [String: Known] = [:]
  private var order: [(sent: Int64, id: String)] = []
  private var start = 0

  mutating func find(_ id: String, now: Int64) -> Known? {
    while start < order.count, order[start].sent + Deduplication.interval <= now {
      if let old = known[order[start].id], old.sent == order[start].sent { known[order[start].id] = nil }
      start += 1
    }
    if start > 1024, start * 2 > order.count {
      order.removeFirst(start)
      start = 0
    }
    return known[id].flatMap { $0.sent + Deduplication.interval > now ? $0 : nil }
  }

  mutating func insert(_ id: String, _ message: Known) {
    known[id] = message
    order.append((message.sent, id))
  }

  mutating func remove(_ id: String) { known[id] = nil }
  mutating func removeAll() { self = Deduplication() }
}
