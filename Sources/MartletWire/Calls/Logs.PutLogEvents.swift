// The face of CloudWatch Logs' PutLogEvents, which EventBridge calls for rules whose target is a log group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
import MartletCore

extension Logs {
  package enum PutLogEvents: Shape {
    package static let route = Route.target("Logs.PutLogEvents")

    package struct Input: Readable, Sendable {
      package let group: String
      package let stream: String
      package let batch: LogBatch
      /// Bytes of all events, and of the largest one, with what each counts beside its text.
      package let size: Int
      package let largest: Int
      package let isOrdered: Bool

      /// One event.
      /// - Parameter time: in milliseconds since 1970.
      package init(group: String, stream: String, message: String, time: Int64) {
        self.group = group
        self.stream = stream
        var batch = LogBatch()
        batch.append(message, at: time)
        self.batch = batch
        size = message.utf8.count + Logs.eventOverhead
        largest = size
        isOrdered = true
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        stream = m.logStream()
        _ = m.string("sequenceToken", .length(1, nil))
        if let entity = m.object("entity") {
          _ = entity.map(
            "keyAttributes", keys: [.length(1, 32)], values: [.length(1, 512)], count: 2...4)
          _ = entity.map("attributes", keys: [.length(1, 256)], values: [.length(1, 512)], count: 0...10)
        }
        var batch = LogBatch()
        var (size, largest, last, isOrdered) = (0, 0, Int64.min, true)
        for event in m.requiredObjects("logEvents", count: 1...10_000) {
          let time = Int64(event.requiredInteger("timestamp", in: 0...Int.max))
          let message = event.required("message", .length(1, nil))
          batch.append(message, at: time)
          let bytes = message.utf8.count + Logs.eventOverhead
          size += bytes
          largest = max(largest, bytes)
          isOrdered = isOrdered && time >= last
          last = time
        }
        (self.batch, self.size, self.largest, self.isOrdered) = (batch, size, largest, isOrdered)
      }
    }

    /// Which events of a batch were left out. Ends are exclusive, the start is inclusive.
    package struct Rejected: Equatable, Sendable {
      package var tooNew: Int?
      package var tooOld: Int?
      package var expired: Int?

      package init() {}
    }

    package struct Output: Writable, Sendable {
      package let token: String
      package let rejected: Rejected?

      package init(token: String, rejected: Rejected?) {
        self.token = token
        self.rejected = rejected
      }

      package func write(to w: inout Writer) {
        w.body { w in
          w.member("nextSequenceToken", token)
          if let rejected {
            w.object("rejectedLogEventsInfo") { w in
              w.member("tooNewLogEventStartIndex", rejected.tooNew)
              w.member("tooOldLogEventEndIndex", rejected.tooOld)
              w.member("expiredLogEventEndIndex", rejected.expired)
            }
          }
        }
      }
    }
  }
}
