// What a poller is told: a mapping's settings, read once for each change of them.
import MartletCore
import MartletWire

struct PollerSetup: Sendable {
  let key: ResourceKey
  let function: FunctionReference
  let arn: ARN
  let queue: SQS.QueueReference
  /// Empty = every message is for the function.
  let filters: [EventPattern]
  /// The function says which messages have failed (ReportBatchItemFailures).
  let reportsFailures: Bool
  let settings: PollerStateMachine<QueueRecord>.Settings

  /// nil for what is no queue.
  init?(_ mapping: EventSourceMapping) {
    guard mapping.source.isQueue, let text = mapping.sourceARN, let arn = ARN(text),
      let queue = SQS.QueueReference(arn: text), let name = FunctionNameParts(mapping.functionARN)
    else { return nil }
    key = mapping.key
    function = FunctionReference(
      key: FunctionKey(place: mapping.key.place, name: name.name), qualifier: name.qualifier)
    self.arn = arn
    self.queue = queue
    filters = (mapping.settings["FilterCriteria"]?["Filters"]?.array ?? []).compactMap { filter in
      filter["Pattern"]?.string.flatMap { try? EventPattern($0, .filters) }
    }
    reportsFailures =
      mapping.settings["FunctionResponseTypes"]?.array?.contains(.string("ReportBatchItemFailures")) ?? false
    settings = PollerSetup.settings(mapping)
  }

  private static func settings(_ mapping: EventSourceMapping) -> PollerStateMachine<QueueRecord>.Settings {
    var settings = PollerStateMachine<QueueRecord>.Settings()
    settings.isFIFO = mapping.source == .fifoQueue
    settings.batchSize = mapping.settings["BatchSize"]?.integer ?? mapping.source.batchSize
    settings.window = Int64(mapping.settings["MaximumBatchingWindowInSeconds"]?.integer ?? 0) * 1000
    settings.payload = LambdaLimits().invokeRequest.bytes
    (settings.frame, settings.separator) = QueueRecord.frame
    if let pollers = mapping.settings["ProvisionedPollerConfig"] {
      settings.floor = (pollers["MinimumPollers"]?.integer ?? leastPollers) * batchesPerPoller
      settings.ceiling = max(settings.floor, (pollers["MaximumPollers"]?.integer ?? mostPollers) * batchesPerPoller)
      settings.growth = provisionedGrowth
    } else if let most = mapping.settings["ScalingConfig"]?["MaximumConcurrency"]?.integer {
      settings.ceiling = most
      settings.floor = min(settings.floor, most)
    }
    return settings
  }

  // Provisioned mode: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
  private static let leastPollers = 2
  private static let mostPollers = 200
  private static let batchesPerPoller = 10
  private static let provisionedGrowth = 1000
}

extension LambdaService {
  /// Refuses a queue that cannot be read, or that would show messages to others while the function is at work.
  /// - Throws: InvalidParameterValueException in AWS's words.
  func requireReadable(_ setup: PollerSetup) async throws(AWSError) {
    // A server without queues has nobody to ask.
    guard door.isOffered(SQS.GetQueueAttributes.self), let record = functions.find(setup.function.key) else { return }
    let output: SQS.GetQueueAttributes.Output
    do throws(AWSError) {
      output = try await door.call(
        SQS.GetQueueAttributes.self, .init(queue: setup.queue, names: ["VisibilityTimeout"]),
        .byRole(record.latest.role, setup.key.place, session: "awslambda", world: world))
    } catch {
      if error.code.hasPrefix("AccessDenied") { throw .mappedQueueForbidden() }
      guard error.status < 500 else { throw error }
      throw .mappedQueueUnusable(SQS.queryCodes[error.code] ?? error.code, error.message)
    }
    let visibility = output.attributes.first { $0.key == "VisibilityTimeout" }.flatMap { Int($0.value) }
    let timeout = (try? line.find(setup.function, in: functions))?.configuration.timeout
    if let visibility, let timeout, visibility < timeout { throw .visibilityTooShort(visibility, timeout: timeout) }
  }
}
