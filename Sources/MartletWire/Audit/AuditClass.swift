// What kind of event a call of an operation is for the audit.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html

package enum AuditClass: UInt8, Sendable, CaseIterable {
  /// Makes, changes or looks at resources: always recorded.
  case management
  /// Runs a function: recorded for trails that ask for it.
  case functions
  /// Reads or writes an object: recorded for trails that ask for it.
  case objects
  /// Records, messages, values and segments, of which there are too many for an audit.
  case unrecorded

  var bit: UInt8 { 1 << rawValue }

  /// Of an operation by its name, such as `Lambda.Invoke`.
  package static func of(_ operation: String) -> AuditClass {
    if functionCalls.contains(operation) { return .functions }
    if objectCalls.contains(operation) { return .objects }
    if others.contains(operation) { return .unrecorded }
    let service = operation.prefix { $0 != "." }
    return sources[String(service)] == nil ? .unrecorded : .management
  }

  /// Who says that it happened, by the service's name before the dot.
  package static let sources = [
    "CloudTrail": "cloudtrail.amazonaws.com", "CloudWatch": "monitoring.amazonaws.com",
    "EventBridge": "events.amazonaws.com", "IAM": "iam.amazonaws.com", "Kinesis": "kinesis.amazonaws.com",
    "Lambda": "lambda.amazonaws.com", "Logs": "logs.amazonaws.com", "S3": "s3.amazonaws.com",
    "SNS": "sns.amazonaws.com", "SQS": "sqs.amazonaws.com", "STS": "sts.amazonaws.com",
    "Scheduler": "scheduler.amazonaws.com", "XRay": "xray.amazonaws.com",
  ]

  private static let functionCalls: Set<String> = [
    "Lambda.Invoke", "Lambda.InvokeAsync", "Lambda.InvokeWithResponseStream",
  ]

  private static let objectCalls: Set<String> = Set(
    [
      "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "CreateSession",
      "DeleteObject", "DeleteObjectTagging", "DeleteObjects", "GetObject", "GetObjectAcl", "GetObjectAttributes",
      "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "GetObjectTorrent", "HeadBucket", "HeadObject",
      "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts", "PutObject",
      "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "RenameObject", "RestoreObject",
      "SelectObjectContent", "UpdateObjectEncryption", "UploadPart", "UploadPartCopy", "WriteGetObjectResponse",
    ].map { "S3.\($0)" })

  private static let others: Set<String> = [
    "CloudWatch.GetMetricData", "CloudWatch.GetMetricStatistics", "CloudWatch.GetMetricWidgetImage",
    "CloudWatch.ListMetrics", "CloudWatch.PutMetricData",
    "EventBridge.PutEvents", "EventBridge.PutPartnerEvents",
    "Kinesis.GetRecords", "Kinesis.GetShardIterator", "Kinesis.PutRecord", "Kinesis.PutRecords",
    "Kinesis.SubscribeToShard",
    "Lambda.CheckpointDurableExecution",
    "Logs.PutLogEvents", "Logs.StartLiveTail",
    "SNS.Publish", "SNS.PublishBatch",
    "SQS.ChangeMessageVisibility", "SQS.ChangeMessageVisibilityBatch", "SQS.DeleteMessage", "SQS.DeleteMessageBatch",
    "SQS.ReceiveMessage", "SQS.SendMessage", "SQS.SendMessageBatch",
    "XRay.BatchGetTraces", "XRay.GetSamplingRules", "XRay.GetSamplingStatisticSummaries", "XRay.GetSamplingTargets",
    "XRay.GetServiceGraph", "XRay.GetTraceGraph", "XRay.GetTraceSummaries", "XRay.PutTelemetryRecords",
    "XRay.PutTraceSegments",
  ]
}
