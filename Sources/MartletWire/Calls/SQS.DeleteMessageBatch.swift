// The face of DeleteMessageBatch, by which pollers acknowledge.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html
import MartletCore

extension SQS {
  package enum DeleteMessageBatch: Shape {
    package static let route = Route.target("SQS.DeleteMessageBatch")

    package struct Input: Readable, Sendable {
      package let queue: QueueReference
      package let entries: [(id: String, receipt: String)]

      package init(queue: QueueReference, entries: [(id: String, receipt: String)]) {
        self.queue = queue
        self.entries = entries
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        entries = m.sqsEntries("DeleteMessageBatchRequestEntry").map { ($0.id, $0.m.sqsRequired("ReceiptHandle")) }
      }
    }

    package struct Output: Writable, Sendable {
      package let result: BatchResult<Void>

      package init(result: BatchResult<Void>) { self.result = result }

      package func write(to w: inout Writer) { w.body { w in result.write(to: &w) { _, _ in } } }
    }
  }
}
