// The table of the service: every operation of AWS's model, one row each, and its two protocols.
import MartletCore
import MartletWire

extension SQSService {
  /// The API's version, which clients of the query protocol send as `Version`.
  package static let version = "2012-11-05"
  package static let namespace = "http://queue.amazonaws.com/doc/2012-11-05/"

  package static let rows: [OperationRow<SQSService>] = [
    .init(SQS.AddPermission.self),
    .init(SQS.CancelMessageMoveTask.self),
    .init(SQS.ChangeMessageVisibility.self),
    .init(SQS.ChangeMessageVisibilityBatch.self),
    .init(SQS.CreateQueue.self),
    .init(SQS.DeleteMessage.self),
    .init(SQS.DeleteMessageBatch.self),
    .init(SQS.DeleteQueue.self),
    .init(SQS.GetQueueAttributes.self),
    .init(SQS.GetQueueUrl.self),
    .init(SQS.ListDeadLetterSourceQueues.self),
    .init(SQS.ListMessageMoveTasks.self),
    .init(SQS.ListQueueTags.self),
    .init(SQS.ListQueues.self),
    .init(SQS.PurgeQueue.self),
    .init(SQS.ReceiveMessage.self),
    .init(SQS.RemovePermission.self),
    .init(SQS.SendMessage.self),
    .init(SQS.SendMessageBatch.self),
    .init(SQS.SetQueueAttributes.self),
    .init(SQS.StartMessageMoveTask.self),
    .init(SQS.TagQueue.self),
    .init(SQS.UntagQueue.self),
  ]

  /// Lists and maps as the query protocol has them.
  static let names = QueryNames([
    .init("AWSAccountIds", "AWSAccountId"), .init("Actions", "ActionName"),
    .init("AttributeNames", "AttributeName"), .init("MessageAttributeNames", "MessageAttributeName"),
    .init("MessageSystemAttributeNames", "MessageSystemAttributeName"),
    .init("Attributes", "Attribute", key: "Name", value: "Value"),
    .init("MessageAttributes", "MessageAttribute", key: "Name", value: "Value"),
    .init("MessageSystemAttributes", "MessageSystemAttribute", key: "Name", value: "Value"),
    .init("Messages", "Message"), .init("QueueUrls", "QueueUrl", in: "ListQueues"),
    .init("queueUrls", "QueueUrl", in: "ListDeadLetterSourceQueues"),
    .init("Results", "ListMessageMoveTasksResultEntry"), .init("Failed", "BatchResultErrorEntry"),
    .init("Tags", "Tag", key: "Key", value: "Value"), .init("TagKeys", "TagKey"),
    .init("Entries", "SendMessageBatchRequestEntry", in: "SendMessageBatch"),
    .init("Entries", "DeleteMessageBatchRequestEntry", in: "DeleteMessageBatch"),
    .init("Entries", "ChangeMessageVisibilityBatchRequestEntry", in: "ChangeMessageVisibilityBatch"),
    .init("Successful", "SendMessageBatchResultEntry", in: "SendMessageBatch"),
    .init("Successful", "DeleteMessageBatchResultEntry", in: "DeleteMessageBatch"),
    .init("Successful", "ChangeMessageVisibilityBatchResultEntry", in: "ChangeMessageVisibilityBatch"),
  ])
}

/// SQS on the wire: AWS JSON if a target is named, the query protocol otherwise.
package struct SQSWireService: WireService {
  private let json: TargetService<SQSService>
  private let query: QueryService<SQSService>

  package init(_ service: SQSService, door: Door) {
    json = TargetService(
      service, rows: SQSService.rows, version: "1.0", namespace: "com.amazonaws.sqs", queryCodes: SQS.queryCodes,
      door: door)
    query = QueryService(
      service, rows: SQSService.rows, version: SQSService.version, namespace: SQSService.namespace,
      names: SQSService.names, codes: SQS.queryCodes, door: door)
  }

  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    request.header("X-Amz-Target") == nil ? await query.answer(request, call) : await json.answer(request, call)
  }
}
