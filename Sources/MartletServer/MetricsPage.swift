// `/_martlet/metrics`: the server and its functions for Prometheus.
import FoundationEssentials
import Glibc
import MartletCloud
import MartletCore
import MartletLambda
import MartletWire
import NIOCore

struct MetricsPage {
  static let path = "/_martlet/metrics"

  let lambda: LambdaService
  let cloud: CloudServices
  let door: Door

  func reply() async -> HTTPReply {
    await lambda.metrics.tell(lambda, door)
    var page = Exposition()
    platform(&page)
    environments(&page)
    events(&page)
    services(&page)
    backlog(&page)
    functions(&page)
    process(&page)
    return HTTPReply(
      status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")], body: page.buffer)
  }

  private func platform(_ page: inout Exposition) {
    page.family(
      "martlet_build_info", .gauge, "The version that runs.", [([("version", MartletVersion.text)], 1)])
    let counts = door.allCounts
    page.family(
      "martlet_operations_total", .counter, "Calls of operations, from outside and from other services.",
      counts.map { ([("operation", $0.operation)], Double($0.count.calls)) })
    page.family(
      "martlet_operations_refused_total", .counter, "Calls of operations that were answered with an error.",
      counts.map { ([("operation", $0.operation)], Double($0.count.refused)) })
  }

  private func environments(_ page: inout Exposition) {
    let census = lambda.line.placement.census
    page.family(
      "martlet_environments", .gauge, "Execution environments alive.",
      [([("state", "busy")], Double(census.alive - census.idle)), ([("state", "idle")], Double(census.idle))])
    page.value(
      "martlet_environments_evicted_total", .counter, "Idle environments removed for want of the host's memory.",
      Double(lambda.line.placement.evictionCount))
    if let census = lambda.line.placement.initialisations {
      page.family(
        "martlet_initialisations", .gauge, "Environments that initialise, and those that wait for their turn.",
        [([("state", "running")], Double(census.running)), ([("state", "waiting")], Double(census.waiting))])
      page.value(
        "martlet_initialisations_delayed_total", .counter,
        "Environments that had to wait for their turn to initialise.",
        Double(census.delayed))
    }
    page.value(
      "martlet_concurrency_limit", .gauge, "Invocations that an account may run at once.",
      Double(lambda.limits.concurrentExecutions))
    var byFunction: [FunctionKey: (alive: Int, idle: Int)] = [:]
    for version in lambda.line.placement.censusByVersion {
      let key = FunctionKey(place: version.version.place, name: version.version.name)
      let before = byFunction[key] ?? (0, 0)
      byFunction[key] = (before.alive + version.alive, before.idle + version.idle)
    }
    let sorted = byFunction.sorted { $0.key.name < $1.key.name }
    page.family(
      "martlet_function_environments", .gauge, "Execution environments of a function.",
      sorted.flatMap { key, count -> [(Exposition.Labels, Double)] in
        [
          (MetricsPage.labels(key) + [("state", "busy")], Double(max(0, count.alive - count.idle))),
          (MetricsPage.labels(key) + [("state", "idle")], Double(count.idle)),
        ]
      })
  }

  private func events(_ page: inout Exposition) {
    let (census, counts) = (lambda.events.census, lambda.events.counts)
    page.family(
      "martlet_async_events", .gauge, "Asynchronous events that are not over.",
      [([("state", "waiting")], Double(census.waiting)), ([("state", "running")], Double(census.underWay))])
    page.value(
      "martlet_async_events_accepted_total", .counter, "Asynchronous events that were accepted.",
      Double(counts.accepted))
    page.value(
      "martlet_async_attempts_total", .counter, "Invocations for asynchronous events.", Double(counts.attempts))
    page.family(
      "martlet_async_events_ended_total", .counter, "Asynchronous events that are over, by how they ended.",
      [
        ([("outcome", "succeeded")], Double(counts.succeeded)),
        ([("outcome", "retries_exhausted")], Double(counts.retriesExhausted)),
        ([("outcome", "age_exceeded")], Double(counts.eventAgeExceeded)),
        ([("outcome", "zero_reserved_concurrency")], Double(counts.zeroReservedConcurrency)),
        ([("outcome", "dropped")], Double(counts.dropped)),
      ])
    page.family(
      "martlet_async_records_total", .counter, "Records for destinations and dead-letter queues.",
      [
        ([("outcome", "delivered")], Double(counts.delivered)),
        ([("outcome", "failed")], Double(counts.deliveryFailures)),
      ])
    let pollers = lambda.pollers.all.map { (labels: [("mapping", $0.key.name)], counts: $0.poller.counts) }
    for (name, help, value) in [
      ("polled", "Messages that event source mappings received.", \Poller.Counts.polled),
      ("filtered_out", "Messages that the filters of event source mappings dropped.", \.filteredOut),
      ("invoked", "Messages with which event source mappings invoked.", \.invoked),
      ("failed", "Messages whose invocations failed.", \.failedInvoke),
      ("deleted", "Messages that event source mappings deleted.", \.deleted),
    ] as [(String, String, KeyPath<Poller.Counts, Int>)] {
      page.family(
        "martlet_event_source_mapping_\(name)_total", .counter, help,
        pollers.map { ($0.labels, Double($0.counts[keyPath: value])) })
    }
  }

  private func services(_ page: inout Exposition) {
    let logs = cloud.logs.totals
    page.value("martlet_log_events_total", .counter, "Log events that came in.", Double(logs.events))
    page.value("martlet_log_bytes_total", .counter, "Bytes of log events that came in.", Double(logs.bytes))
    page.value(
      "martlet_log_events_dropped_total", .counter, "Log events that were lost because too much waited.",
      Double(logs.droppedEvents))
    page.value("martlet_log_stored_bytes", .gauge, "Bytes of the log on disk.", Double(cloud.logs.storedBytes))
    page.value("martlet_metrics", .gauge, "Metrics that CloudWatch knows.", Double(cloud.cloudWatch.metricCount))
    exports(&page)
    let sns = cloud.sns.counts
    page.value("martlet_sns_published_total", .counter, "Messages published to topics.", Double(sns.published))
    page.family(
      "martlet_sns_deliveries_total", .counter, "Deliveries of messages of topics, by what became of them.",
      [
        ([("outcome", "delivered")], Double(sns.delivered)), ([("outcome", "filtered")], Double(sns.filtered)),
        ([("outcome", "dead_lettered")], Double(sns.deadLettered)), ([("outcome", "dropped")], Double(sns.dropped)),
      ])
    page.value("martlet_sns_deliveries_waiting", .gauge, "Deliveries that are not over.", Double(cloud.sns.waiting))
  }

  private func exports(_ page: inout Exposition) {
    let figures = cloud.export?.figures ?? []
    page.family(
      "martlet_otlp_items_total", .counter,
      "Spans, values and log records for collectors of OpenTelemetry, by what became of them.",
      figures.flatMap { one -> [(Exposition.Labels, Double)] in
        [
          ("exported", one.exported), ("rejected", one.rejected), ("failed", one.failed), ("dropped", one.dropped),
        ].map { ([("signal", one.signal.rawValue), ("outcome", $0)], Double($1)) }
      })
    page.family(
      "martlet_otlp_retries_total", .counter, "Requests that collectors of OpenTelemetry did not take at once.",
      figures.map { ([("signal", $0.signal.rawValue)], Double($0.retries)) })
    page.family(
      "martlet_otlp_waiting", .gauge, "Segments, series and batches of log events that are kept for collectors.",
      figures.map { ([("signal", $0.signal.rawValue)], Double($0.waiting)) })
  }

  private func functions(_ page: inout Exposition) {
    let totals = lambda.metrics.totals.map { (labels: MetricsPage.labels($0.function), totals: $0.totals) }
    for (name, help, value) in [
      ("invocations", "Invocations of a function that ran.", \LambdaMetrics.Totals.invocations),
      ("errors", "Invocations in which the function failed.", \.errors),
      ("throttles", "Invocations that were refused for want of concurrency.", \.throttles),
      ("cold_starts", "Invocations that began with an initialisation.", \.coldStarts),
    ] as [(String, String, KeyPath<LambdaMetrics.Totals, Int>)] {
      page.family(
        "martlet_function_\(name)_total", .counter, help,
        totals.map { ($0.labels, Double($0.totals[keyPath: value])) })
    }
    reasons(&page)
    page.histograms(
      "martlet_function_duration_seconds", "How long invocations took.",
      totals.map { labels, totals in
        Exposition.Histogram(
          labels: labels,
          buckets: zip(LambdaMetrics.Totals.bounds, totals.buckets).map { (bound: $0, count: $1) },
          count: totals.invocations, sum: Double(totals.duration) / 1e9)
      })
    page.family(
      "martlet_function_events_total", .counter, "What else happened to a function, by CloudWatch's names.",
      totals.flatMap { labels, totals in
        totals.events.sorted { $0.key < $1.key }.map { (labels + [("event", $0.key)], Double($0.value)) }
      })
  }

  private func reasons(_ page: inout Exposition) {
    let decisions = lambda.metrics.decisions.map { (MetricsPage.labels($0.function), $0.decisions) }
    for (name, help, isThrottle) in [
      ("throttle", "Invocations that were refused, by the reason.", true),
      ("cold_start", "Runtimes that were started, by the reason.", false),
    ] {
      page.family(
        "martlet_function_\(name)_reasons_total", .counter, help,
        decisions.flatMap { labels, counts in
          counts.filter { $0.key.isThrottle == isThrottle }.sorted { $0.key.reason < $1.key.reason }.map {
            (labels + [("reason", $0.key.reason)], Double($0.value))
          }
        })
    }
  }

  private static func labels(_ key: FunctionKey) -> Exposition.Labels {
    [("account", key.place.account.id), ("region", key.place.region.name), ("function", key.name)]
  }

  // MARK: - The process

  /// What the kernel says of this process (proc(5)).
  private func process(_ page: inout Exposition) {
    let statistics = MetricsPage.read("/proc/self/stat")
    // The name in parentheses may have spaces in it.
    let fields = statistics[(statistics.lastIndex(of: ")") ?? statistics.startIndex)...].split(separator: " ")
    let ticks = Double(max(1, sysconf(CInt(_SC_CLK_TCK))))
    if fields.count > 22, let user = Double(fields[12]), let system = Double(fields[13]), let pages = Double(fields[22])
    {
      page.value(
        "process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.",
        (user + system) / ticks)
      page.value(
        "process_resident_memory_bytes", .gauge, "Resident memory size in bytes.", pages * Double(getpagesize()))
    }
    if let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
      page.value("process_open_fds", .gauge, "Number of open file descriptors.", Double(names.count))
    }
  }

  private static func read(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
