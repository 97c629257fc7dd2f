// The face of GetQueueAttributes, by which mappings check the queue that they read.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
import MartletCore

extension SQS {
  package enum GetQueueAttributes: Shape {
    package static let route = Route.target("SQS.GetQueueAttributes")

    package struct Input: Readable, Sendable {
      package let queue: QueueReference
      package let names: [String]

      package init(queue: QueueReference, names: [String] = ["All"]) {
        self.queue = queue
        self.names = names
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        names = m.strings("AttributeNames") ?? []
      }
    }

    package struct Output: Writable, Sendable {
      package let attributes: [(key: String, value: String)]

      package init(attributes: [(key: String, value: String)]) { self.attributes = attributes }

      package func write(to w: inout Writer) {
        w.body { w in
          if !attributes.isEmpty { w.member("Attributes", attributes) }
        }
      }
    }
  }
}
