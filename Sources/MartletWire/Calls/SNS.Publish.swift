// The face of SNS's Publish, which Lambda calls for dead letters and records of asynchronous invocation.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
import MartletCore

extension SNS {
  package enum Publish: Shape {
    package static let route = Route.query("SNS.Publish")

    package typealias Attribute = SNS.Attribute

    package struct Input: Readable, Sendable {
      /// The topic's ARN; nil if something else is meant.
      package let topic: String?
      /// What else can be published to: the endpoint of an app, or a topic as well.
      package let target: String?
      package let phoneNumber: String?
      package let outgoing: Outgoing

      package init(topic: String, message: String, attributes: [Attribute] = []) {
        var outgoing = Outgoing(message: message)
        outgoing.attributes = attributes
        self.init(topic: topic, outgoing)
      }

      package init(topic: String, _ outgoing: Outgoing) {
        self.topic = topic
        target = nil
        phoneNumber = nil
        self.outgoing = outgoing
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.text("TopicArn")
        target = m.text("TargetArn")
        phoneNumber = m.text("PhoneNumber")
        outgoing = Outgoing(m)
      }
    }

    package struct Output: Writable, Sendable {
      package let published: Published

      package init(_ published: Published) { self.published = published }

      package func write(to w: inout Writer) { w.body { published.write(to: &$0) } }
    }
  }
}
