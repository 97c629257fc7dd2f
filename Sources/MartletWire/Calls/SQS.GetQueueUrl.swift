// The face of GetQueueUrl.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html
import MartletCore

extension SQS {
  package enum GetQueueUrl: Shape {
    package static let route = Route.target("SQS.GetQueueUrl")

    package struct Input: Readable, Sendable {
      package let name: String
      /// nil = the caller's.
      package let owner: String?

      package init(name: String, owner: String? = nil) {
        self.name = name
        self.owner = owner
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.sqsRequired("QueueName")
        owner = m.text("QueueOwnerAWSAccountId")
      }
    }

    package struct Output: Writable, Sendable {
      package let url: String

      package init(url: String) { self.url = url }

      package func write(to w: inout Writer) { w.body { $0.member("QueueUrl", url) } }
    }
  }
}
