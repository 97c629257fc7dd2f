// The loops of a server, each a service of the group that starts and stops them in order.
import Logging
import MartletCloud
import MartletCore
import MartletLambda
import MartletSandbox
import MartletWire
import NIOCore
import ServiceLifecycle

/// Hears what the sandbox process says. Ends with an error if that process ends: no function could run any more.
struct SandboxService: Service {
  let sandboxes: SandboxProcess

  func run() async throws {
    let (lost, continuation) = AsyncStream<Void>.makeStream()
    sandboxes.deliver { continuation.yield() }
    for await _ in lost.cancelOnGracefulShutdown() {
      throw Fault("martlet-sandbox", "it ended unexpectedly; start martlet again")
    }
  }
}

/// Brings new functions and updates to life.
struct ActivationService: Service {
  let activation: FunctionActivation

  func run() async throws {
    await withGracefulShutdownHandler {
      await activation.run()
    } onGracefulShutdown: {
      activation.stop()
    }
  }
}

/// Brings event source mappings and capacity providers to the states that they are on their way to.
struct ResourceService: Service {
  let resources: LambdaResources

  func run() async throws {
    await withGracefulShutdownHandler {
      await resources.run()
    } onGracefulShutdown: {
      resources.stop()
    }
  }
}

/// Keeps the environments of provisioned concurrency.
struct ProvisionedConcurrencyService: Service {
  let provisioned: ProvisionedConcurrency

  func run() async throws {
    await withGracefulShutdownHandler {
      await provisioned.run()
    } onGracefulShutdown: {
      provisioned.stop()
    }
  }
}

/// When the server stops, and no invocation is under way any more, the environments end as they do on AWS: extensions
/// hear of it.
struct EnvironmentService: Service {
  let placement: Placement

  func run() async throws {
    try? await gracefulShutdown()
    await placement.close()
  }
}

/// Polls queues for functions.
struct PollerService: Service {
  let pollers: Pollers

  func run() async throws {
    await withGracefulShutdownHandler {
      await pollers.run()
    } onGracefulShutdown: {
      pollers.stop()
    }
  }
}

/// Tries the events of asynchronous invocation.
struct EventService: Service {
  let events: EventQueue

  func run() async throws {
    await withGracefulShutdownHandler {
      await events.run()
    } onGracefulShutdown: {
      events.stop()
    }
  }
}

/// Delivers what rules of EventBridge owe to their targets, and runs replays.
struct EventBridgeLoop: Service {
  let bridge: EventBridgeService

  func run() async throws {
    await withGracefulShutdownHandler {
      await bridge.run()
    } onGracefulShutdown: {
      bridge.stop()
    }
  }
}

/// Moves messages where move tasks want them, and writes down what is not written when the server stops.
struct QueueService: Service {
  let sqs: SQSService

  func run() async throws {
    async let running: Void = sqs.run()
    try? await gracefulShutdown()
    await sqs.stop()
    await running
  }
}

/// Tells the consumers of streams every second that they are up to date.
struct StreamService: Service {
  let kinesis: KinesisService

  func run() async throws {
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
      kinesis.tick()
    }
  }
}

/// Delivers what was published.
struct TopicService: Service {
  let sns: SNSService

  func run() async throws {
    await withGracefulShutdownHandler {
      await sns.run()
    } onGracefulShutdown: {
      sns.stop()
    }
  }
}

/// Fires schedules, and delivers what they owe to their targets.
struct ScheduleService: Service {
  let scheduler: SchedulerService

  func run() async throws {
    await withGracefulShutdownHandler {
      await scheduler.run()
    } onGracefulShutdown: {
      scheduler.stop()
    }
  }
}

/// Tells others what happens in buckets.
struct ObjectService: Service {
  let s3: S3Service

  func run() async throws {
    await withGracefulShutdownHandler {
      await s3.run()
    } onGracefulShutdown: {
      s3.stop()
    }
  }
}

/// Fires the rules of EventBridge that have schedules.
struct RuleScheduleService: Service {
  let schedules: RuleSchedules
  let bridge: EventBridgeService

  func run() async throws {
    await withGracefulShutdownHandler {
      await schedules.run(bridge)
    } onGracefulShutdown: {
      schedules.stop()
    }
  }
}

/// Keeps the values of metrics in order. It stops after those who tell some.
struct MetricService: Service {
  let cloudWatch: CloudWatchService
  let cloud: CloudServices
  let lambda: LambdaService
  let door: Door

  func run() async throws {
    cloudWatch.askBeforeLooking { await lambda.metrics.tell(lambda, door) }
    async let running: Void = cloudWatch.run()
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      await lambda.metrics.tell(lambda, door)
      await cloud.sqs.tell(door)
      await cloud.sns.tell(door)
      await cloud.bridge.tell(door)
      cloudWatch.tick()
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
    }
    await lambda.metrics.tell(lambda, door)
    await cloudWatch.stop()
    await running
  }
}

/// Writes and sends on what is logged. It stops after the environments, which say something to the end.
struct LogService: Service {
  let logs: LogsService

  func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask { await logs.run() }
      group.addTask { await logs.deliver() }
      group.addTask {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
          try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
          logs.tick()
        }
      }
      try? await gracefulShutdown()
      logs.stop()
    }
  }
}

/// Exports what others have written, and what is left when they have stopped, if collectors take it soon enough.
struct TelemetryService: Service {
  let export: TelemetryExport?

  func run() async throws {
    guard let export else {
      try? await gracefulShutdown()
      return
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await export.run { span in try? await cancelWhenGracefulShutdown { try await Task.sleep(for: span) } }
      }
      try? await gracefulShutdown()
      export.stop()
      group.addTask { try? await Task.sleep(for: TelemetryService.patience) }
      await group.next()
      group.cancelAll()
    }
  }

  private static let patience = Duration.seconds(5)
}

/// Writes segments. It stops after the environments, whose last invocations have some.
struct TraceService: Service {
  let xray: XRayService

  func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask { await xray.run() }
      group.addTask {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
          try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
          xray.tick()
        }
      }
      try? await gracefulShutdown()
      xray.stop()
    }
  }
}

/// Writes down what was called, and delivers trails. It stops after those who call.
struct AuditService: Service {
  let audit: CloudTrailService

  func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask { await audit.run() }
      group.addTask {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
          try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
          audit.tick()
        }
      }
      try? await gracefulShutdown()
      audit.stop()
    }
  }
}

/// Removes environments that nobody needs.
struct SweepService: Service {
  let placement: Placement
  let provisioned: ProvisionedConcurrency
  let functions: FunctionTable
  let directories: WatchedDirectories
  let debugging: DebugSessions
  let fastStart: FastStart?
  let stemCells: StemCells?

  func run() async throws {
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      fastStart?.tick()
      provisioned.tick()
      stemCells?.tick()
      directories.keep { functions.find($0)?.directories.isEmpty == false }
      placement.sweep { version in
        if let isCurrent = debugging.isCurrent(version) { return isCurrent }
        let record = functions.find(FunctionKey(place: version.place, name: version.name))
        if let record, !record.directories.isEmpty, version.version == .latest {
          return directories.isCurrent(version, record.invocable(.latest) ?? record.latest)
        }
        return record?.invocable(version.version)?.incarnation == version.incarnation
          || record?.configuration(version.version)?.incarnation == version.incarnation
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
    }
  }
}

/// Removes deployment packages that nobody uses: at the start, and every ten minutes what is older than an hour.
struct CollectService: Service {
  let packages: CodePackages
  let placement: Placement
  let functions: FunctionTable
  let layers: LayerTable
  let directories: WatchedDirectories

  func run() async throws {
    var age = Duration.seconds(60)
    while !Task.isShuttingDownGracefully && !Task.isCancelled {
      var used = placement.packagesInUse.union(directories.packagesInUse)
      // The layers first: what is deleted after this may be used by a function that was changed before.
      for layer in layers.all { used.formUnion(layer.versions.values.map(\.package.key)) }
      for record in functions.all {
        for stored in record.allStored { used.formUnion(stored.packages) }
        if let serving = record.serving { used.formUnion(serving.packageKeys) }
      }
      await packages.collect(keeping: used, olderThan: age)
      age = .seconds(3600)
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(600)) }
    }
  }
}

/// Accepts calls. When the server stops, it stops first, and then waits for the invocations that are under way.
struct ListenerService: Service {
  let listener: HTTPListener
  let lambda: LambdaService
  let sqs: SQSService
  let kinesis: KinesisService
  let logs: LogsService
  let debugging: DebugSessions
  let log: Logger
  /// Called when signals are heard: whoever reads the announcement may send one at once.
  let announce: @Sendable () -> Void

  func run() async throws {
    announce()
    do {
      try await gracefulShutdown()
      log.info("stopping: finishing what is under way")
      await listener.close()
      lambda.events.pause()
      lambda.pollers.pause()
      debugging.endAll()
      sqs.release()
      kinesis.release()
      logs.release()
      await lambda.line.drain()
      await listener.drained(within: .seconds(10))
    } catch {
      // Another part of the server has failed: there is nothing to wait for.
      await listener.close()
    }
  }
}
