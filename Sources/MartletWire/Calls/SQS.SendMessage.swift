// The face of SendMessage, which dead-letter queues and destinations call.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
import MartletCore

extension SQS {
  package enum SendMessage: Shape {
    package static let route = Route.target("SQS.SendMessage")

    package struct Input: Readable, Sendable {
      package let queue: QueueReference
      package let message: Outgoing

      package init(queue: QueueReference, message: Outgoing) {
        self.queue = queue
        self.message = message
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        message = Outgoing(m)
      }
    }

    package struct Output: Writable, Sendable {
      package let sent: Sent

      package init(sent: Sent) { self.sent = sent }

      package func write(to w: inout Writer) { w.body { sent.write(to: &$0) } }
    }
  }
}
