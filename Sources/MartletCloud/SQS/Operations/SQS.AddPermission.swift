// AddPermission: adds a statement to the queue's policy, which is kept and not enforced yet.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum AddPermission: Operation {
    static let route = Route.target("SQS.AddPermission")
    static let stage = OperationStage.stored

    struct Input: Readable {
      let queue: SQS.QueueReference
      let label: String
      let accounts: [String]
      let actions: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queue = r.queue(m)
        label = m.sqsRequired("Label")
        accounts = m.strings("AWSAccountIds") ?? []
        actions = m.strings("Actions") ?? []
        for name in ["AWSAccountIds", "Actions"] where !m.contains(name) { m.refuse(.sqsMissing(name)) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Empty {
      let queue = try sqs.queue(input.queue, call)
      let statement = try QueuePolicy.statement(
        label: input.label, accounts: input.accounts, actions: input.actions, arn: queue.arn)
      try await sqs.queues.change(queue.key) { record throws(AWSError) in
        guard var changed = record else { throw .sqsNoQueue() }
        var policy = QueuePolicy(changed)
        try policy.add(statement, label: input.label)
        changed.attributes["Policy"] = policy.text
        record = changed
      }
      return Empty()
    }
  }
}
