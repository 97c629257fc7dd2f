// The face of SNS's Publish, which Lambda calls for dead letters and records of asynchronous invocation.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
import MartletCore

/// The namespace of SNS's operations.
package enum SNS {}

extension SNS {
  package enum Publish: Shape {
    package static let route = Route.query("SNS.Publish")

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
      package let topic: String
      package let message: String
      package let attributes: [Attribute]

      package init(topic: String, message: String, attributes: [Attribute] = []) {
        self.topic = topic
        self.message = message
        self.attributes = attributes
      }

      package init(_ r: Reader) throws(AWSError) { throw .notImplemented("SNS.Publish over HTTP") }
    }

    package struct Output: Writable, Sendable {
      package let messageID: String

      package init(messageID: String) { self.messageID = messageID }

      package func write(to w: inout Writer) { w.body { $0.member("MessageId", messageID) } }
    }
  }
}
