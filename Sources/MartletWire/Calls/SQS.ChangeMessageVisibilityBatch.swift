// The face of ChangeMessageVisibilityBatch, by which pollers give messages back.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
import MartletCore

extension SQS {
  package enum ChangeMessageVisibilityBatch: Shape {
    package static let route = Route.target("SQS.ChangeMessageVisibilityBatch")

    package struct Input: Readable, Sendable {
      package let queue: QueueReference
      /// Visibility in seconds from now; nil was not given.
      package let entries: [(id: String, receipt: String, visibility: Int?)]

      package init(queue: QueueReference, entries: [(id: String, receipt: String, visibility: Int?)]) {
        self.queue = queue
        self.entries = entries
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        entries = m.sqsEntries("ChangeMessageVisibilityBatchRequestEntry").map {
          ($0.id, $0.m.sqsRequired("ReceiptHandle"), $0.m.sqsInteger("VisibilityTimeout"))
        }
      }
    }

    package struct Output: Writable, Sendable {
      package let result: BatchResult<Void>

      package init(result: BatchResult<Void>) { self.result = result }

      package func write(to w: inout Writer) { w.body { w in result.write(to: &w) { _, _ in } } }
    }
  }
}
