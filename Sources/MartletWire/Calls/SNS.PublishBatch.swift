// The face of SNS's PublishBatch.
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
import MartletCore

extension SNS {
  package enum PublishBatch: Shape {
    package static let route = Route.query("SNS.PublishBatch")

    package struct Input: Readable, Sendable {
      package let topic: String
      package let entries: [(id: String, outgoing: Outgoing)]

      package init(topic: String, entries: [(id: String, outgoing: Outgoing)]) {
        self.topic = topic
        self.entries = entries
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        topic = m.required("TopicArn")
        entries = m.requiredObjects("PublishBatchRequestEntries").map { ($0.required("Id"), Outgoing($0)) }
      }
    }

    package struct Output: Writable, Sendable {
      package let successful: [(id: String, published: Published)]

      package init(successful: [(id: String, published: Published)]) { self.successful = successful }

      package func write(to w: inout Writer) {
        w.body { w in
          w.list("Successful", successful) { w, entry in
            w.member("Id", entry.id)
            entry.published.write(to: &w)
          }
          w.list("Failed", [String]()) { _, _ in }
        }
      }
    }
  }
}
