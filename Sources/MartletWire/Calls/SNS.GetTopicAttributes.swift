// The face of GetTopicAttributes, by which buckets check the topic that they are to tell.
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
import MartletCore

extension SNS {
  package enum GetTopicAttributes: Shape {
    package static let route = Route.query("SNS.GetTopicAttributes")

    package struct Input: Readable, Sendable {
      /// Its ARN.
      package let topic: String

      package init(topic: String) { self.topic = topic }

      package init(_ r: Reader) throws(AWSError) { topic = try r.body().required("TopicArn") }
    }

    package struct Output: Writable, Sendable {
      package let attributes: [(key: String, value: String)]

      package init(attributes: [(key: String, value: String)]) { self.attributes = attributes }

      package func write(to w: inout Writer) { w.body { $0.member("Attributes", attributes) } }
    }
  }
}
