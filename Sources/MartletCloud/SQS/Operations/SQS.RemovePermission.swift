// RemovePermission: removes a statement from the queue's policy.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_RemovePermission.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum RemovePermission: Operation {
    static let route = Route.target("SQS.RemovePermission")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let queue: SQS.QueueReference
      let label: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        label = m.sqsRequired("Label")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let queue = try sqs.queue(input.queue, call)
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard var changed = record else { throw .sqsNoQueue() }
        var policy = QueuePolicy(changed)
        try policy.remove(label: input.label)
        changed.attributes["Policy"] = policy.text
        record = changed
      }
      return Empty()
    }
  }
}
