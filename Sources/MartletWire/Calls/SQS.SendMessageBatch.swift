// The face of SendMessageBatch.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
import MartletCore

extension SQS {
  package enum SendMessageBatch: Shape {
    package static let route = Route.target("SQS.SendMessageBatch")

    package struct Input: Readable, Sendable {
      package let queue: QueueReference
      package let entries: [(id: String, message: Outgoing)]

      package init(queue: QueueReference, entries: [(id: String, message: Outgoing)]) {
        self.queue = queue
        self.entries = entries
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        entries = m.sqsEntries("SendMessageBatchRequestEntry").map { ($0.id, Outgoing($0.m)) }
      }
    }

    package struct Output: Writable, Sendable {
      package let result: BatchResult<Sent>

      package init(result: BatchResult<Sent>) { self.result = result }

      package func write(to w: inout Writer) { w.body { w in result.write(to: &w) { $1.write(to: &$0) } } }
    }
  }
}
