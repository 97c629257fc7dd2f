// The embedded AWS services around Lambda: made in one place, offered at the door, served by their signing names.
import Logging
import MartletCloud
import MartletCore
import MartletLambda
import MartletStore
import MartletWire
import ServiceLifecycle

struct CloudServices: Sendable {
  let audit: CloudTrailService
  let bridge: EventBridgeService
  let cloudWatch: CloudWatchService
  let iam: IAMService
  let kinesis: KinesisService
  let logs: LogsService
  let ruleSchedules: RuleSchedules
  let s3: S3Service
  let scheduler: SchedulerService
  let sns: SNSService
  let sqs: SQSService
  let sts: STSService
  let xray: XRayService
  /// nil = nothing is exported.
  let export: TelemetryExport?

  static let migrations =
    CloudWatchService.migrations + EventBridgeService.migrations + KinesisService.migrations + S3Service.migrations
    + SNSService.migrations
    + SQSService.migrations
    + Outbox.migrations

  /// Reads what they have kept. The database must have been migrated.
  init(
    database: Database, iam: IAMService, world: any World, alarms: Alarms, door: Door, state: StateDirectory,
    security: any TransportSecurity, logs: LogsService, xray: XRayService, export: TelemetryExport?, log: Logger
  ) throws {
    self.export = export
    let ruleSchedules = try RuleSchedules(database: database, alarms: alarms, log: log)
    self.ruleSchedules = ruleSchedules
    audit = try CloudTrailService(database: database, path: state.audit, alarms: alarms, door: door, log: log)
    bridge = try EventBridgeService(
      database: database, door: door, alarms: alarms, log: log, observer: { ruleSchedules.heard($0, $1) })
    cloudWatch = try CloudWatchService(database: database, door: door, alarms: alarms, log: log, export: export)
    self.iam = iam
    self.logs = logs
    kinesis = try KinesisService(database: database, alarms: alarms, log: log)
    self.xray = xray
    s3 = try S3Service(database: database, root: state.objects, alarms: alarms, door: door, log: log)
    scheduler = try SchedulerService(database: database, alarms: alarms, door: door, log: log)
    sns = try SNSService(database: database, door: door, alarms: alarms, log: log, security: security)
    sqs = try SQSService(database: database, alarms: alarms, log: log)
    sts = STSService(iam: iam, world: world)
  }

  /// What others in this process call.
  func offer(at door: Door) {
    door.offer(CloudWatch.PutMetricData.self, by: cloudWatch)
    door.offer(EventBridge.PutEvents.self, by: bridge)
    door.offer(IAM.GetRole.self, by: iam)
    door.offer(Kinesis.PutRecord.self, by: kinesis)
    door.offer(Kinesis.PutRecords.self, by: kinesis)
    door.offer(Logs.CreateLogStream.self, by: logs)
    door.offer(Logs.PutLogEvents.self, by: logs)
    door.offer(STS.AssumeRole.self, by: sts)
    door.offer(S3.GetObject.self, by: s3)
    door.offer(S3.PutObject.self, by: s3)
    door.offer(SNS.GetTopicAttributes.self, by: sns)
    door.offer(SNS.Publish.self, by: sns)
    door.offer(SNS.PublishBatch.self, by: sns)
    door.offer(SQS.SendMessage.self, by: sqs)
    door.offer(SQS.SendMessageBatch.self, by: sqs)
    door.offer(SQS.ReceiveMessage.self, by: sqs)
    door.offer(SQS.DeleteMessageBatch.self, by: sqs)
    door.offer(SQS.ChangeMessageVisibilityBatch.self, by: sqs)
    door.offer(SQS.GetQueueAttributes.self, by: sqs)
    door.offer(SQS.GetQueueUrl.self, by: sqs)
  }

  /// All services by their signing names.
  func wireServices(beside lambda: LambdaService, _ door: Door) -> [String: any WireService] {
    audit.listen()
    let services: [String: any WireService] = [
      "cloudtrail": TargetService(audit, door: door),
      "events": TargetService(bridge, door: door),
      "iam": QueryService(
        iam, rows: IAMService.rows, version: IAMService.version, namespace: IAMService.namespace, door: door),
      "kinesis": TargetService(kinesis, door: door),
      "lambda": RESTService(lambda, rows: LambdaService.rows, door: door),
      "logs": TargetService(
        logs, rows: LogsService.rows, version: "1.1", namespace: LogsService.namespace,
        violationCode: "InvalidParameterException", door: door),
      "monitoring": CloudWatchWireService(cloudWatch, door: door),
      "s3": S3WireService(s3, door: door),
      "scheduler": RESTService(scheduler, rows: SchedulerService.rows, door: door, messageKey: .upper),
      "sns": SNSWireService(sns, door: door),
      "sqs": SQSWireService(sqs, door: door),
      "sts": QueryService(
        sts, rows: STSService.rows, version: STSService.version, namespace: STSService.namespace, door: door),
      "xray": xray.wireService(door),
    ]
    precondition(services.keys.sorted() == ServiceTable.names, "ServiceTable names the services")
    return services
  }

  /// What runs for as long as the server, started and stopped in this order and its reverse.
  var loops: [any Service] {
    [
      QueueService(sqs: sqs), StreamService(kinesis: kinesis), TopicService(sns: sns), ObjectService(s3: s3),
      ScheduleService(scheduler: scheduler),
      EventBridgeLoop(bridge: bridge), RuleScheduleService(schedules: ruleSchedules, bridge: bridge),
    ]
  }
}
