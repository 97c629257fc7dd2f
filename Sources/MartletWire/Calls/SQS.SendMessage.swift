// The face of SQS's SendMessage, which Lambda calls for dead letters and records of asynchronous invocation.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
import MartletCore

/// The namespace of SQS's operations.
package enum SQS {}

extension SQS {
  package enum SendMessage: Shape {
    package static let route = Route.rest("SQS.SendMessage", .post, "/")

    package struct Attribute: Sendable, Equatable {
      package let name: String
      /// `String`, `Number` …
      package let type: String
      package let value: String

      package init(name: String, type: String, value: String) {
        self.name = name
        self.type = type
        self.value = value
      }
    }

    package struct Input: Readable, Sendable {
      package let queueURL: String
      package let body: String
      package let attributes: [Attribute]
      /// The system attribute `AWSTraceHeader`.
      package let traceHeader: String?

      package init(queueURL: String, body: String, attributes: [Attribute] = [], traceHeader: String? = nil) {
        self.queueURL = queueURL
        self.body = body
        self.attributes = attributes
        self.traceHeader = traceHeader
      }

      package init(_ r: Reader) throws(AWSError) { throw .notImplemented("SQS.SendMessage over HTTP") }
    }

    package struct Output: Writable, Sendable {
      package let messageID: String

      package init(messageID: String) { self.messageID = messageID }

      package func write(to w: inout Writer) { w.body { $0.member("MessageId", messageID) } }
    }
  }
}
