// The face of ReceiveMessage, which pollers call.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
import MartletCore

extension SQS {
  package enum ReceiveMessage: Shape {
    package static let route = Route.target("SQS.ReceiveMessage")

    package struct Input: Readable, Sendable {
      package let queue: QueueReference
      package var count = 1
      /// Seconds; nil = the queue's.
      package var visibility: Int?
      /// Seconds; nil = the queue's.
      package var wait: Int?
      /// Names of system attributes that are wanted; `All` is all of them.
      package var systemNames: [String] = []
      /// Names of attributes that are wanted; `All` is all, and `prefix.*` those that begin so.
      package var names: [String] = []
      /// For a receive from a FIFO queue that is made again.
      package var attemptID: String?
      /// Called once it is certain that the receive has to wait for messages.
      package var waits: (@Sendable () -> Void)?

      /// As `wait`, for callers inside of the server: until there is a message, or the caller's task is cancelled.
      package static let untilThereIsOne = Int.max

      package init(queue: QueueReference) { self.queue = queue }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        self.init(queue: r.queue(m))
        systemNames = (m.strings("AttributeNames") ?? []) + (m.strings("MessageSystemAttributeNames") ?? [])
        names = m.strings("MessageAttributeNames") ?? []
        count = m.sqsInteger("MaxNumberOfMessages") ?? 1
        visibility = m.sqsInteger("VisibilityTimeout")
        wait = m.sqsInteger("WaitTimeSeconds")
        attemptID = m.text("ReceiveRequestAttemptId")
        if !(1...SQS.largestBatch).contains(count) {
          m.refuse(.sqsInvalid(count, for: "MaxNumberOfMessages", "Must be between 1 and 10, if provided."))
        }
        if let visibility, !(0...43_200).contains(visibility) {
          m.refuse(.sqsInvalid(visibility, for: "VisibilityTimeout", "Must be between 0 and 43200, if provided."))
        }
        if let wait, !(0...20).contains(wait) {
          m.refuse(.sqsInvalid(wait, for: "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided."))
        }
      }
    }

    package struct Output: Writable, Sendable {
      package let messages: [Message]
      /// Moves of the clock wait until it is over.
      package let work: Alarms.Work?

      package init(messages: [Message], work: Alarms.Work? = nil) {
        self.messages = messages
        self.work = work
      }

      package func write(to w: inout Writer) {
        w.body { w in
          if !messages.isEmpty { w.list("Messages", messages) { $1.write(to: &$0) } }
        }
      }
    }
  }

  /// A message as a receiver gets it.
  package struct Message: Sendable {
    package var id: String
    package var receipt: String
    package var body: String
    package var bodyDigest: String
    /// `ApproximateReceiveCount` and the like.
    package var system: [(key: String, value: String)] = []
    package var attributes: [Attribute] = []

    package init(id: String, receipt: String, body: String, bodyDigest: String) {
      self.id = id
      self.receipt = receipt
      self.body = body
      self.bodyDigest = bodyDigest
    }

    func write(to w: inout MemberWriter) {
      w.member("MessageId", id)
      w.member("ReceiptHandle", receipt)
      w.member("MD5OfBody", bodyDigest)
      w.member("Body", body)
      if !system.isEmpty { w.member("Attributes", system) }
      if !attributes.isEmpty {
        w.member("MD5OfMessageAttributes", Attribute.digest(attributes))
        w.map("MessageAttributes", attributes.map { ($0.name, $0) }) { $1.write(to: &$0) }
      }
    }
  }
}
