// PutLogEvents: events of a stream, in the order of their times.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum PutLogEvents: Operation {
    static let route = Route.target("Logs.PutLogEvents")

    struct Input: Readable {
      let group: String
      let stream: String
      let batch: LogBatch
      let size: Int
      let largest: Int
      let isOrdered: Bool

      init(_ r: Reader) throws(AWSError) {
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

    struct Output: Writable {
      let token: String
      let rejected: RejectedEvents?

      func write(to w: inout Writer) {
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

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      if input.largest > Logs.largestBatch {
        throw .logsInvalid("Log event too large: \(input.largest) bytes exceeds limit of \(Logs.largestBatch)")
      }
      if input.size > Logs.largestBatch {
        throw .logsInvalid("Upload too large: \(input.size) bytes exceeds limit of \(Logs.largestBatch)")
      }
      if !input.isOrdered {
        throw .logsInvalid("Log events in a single PutLogEvents request must be in chronological order.")
      }
      if input.batch.newest - input.batch.oldest > 86_400_000 {
        throw .logsInvalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
      }
      let group = try logs.group(input.group, call.place)
      let folder = try await logs.searching { () throws(Fault) -> LogFolder in try logs.folder(group) }
      guard let stream = folder.stream(input.stream) else { throw .logsNoStream() }
      let (batch, rejected) = Logs.sift(input.batch, now: logs.now, horizon: group.horizon(logs.now))
      if !batch.isEmpty {
        try await logs.put(
          batch, to: LogStreamName(place: call.place, group: input.group, stream: input.stream))
      }
      return Output(token: Logs.sequenceToken(stream), rejected: rejected)
    }
  }
}
