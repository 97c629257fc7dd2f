// Once a second: what was counted becomes data of CloudWatch, with all the dimensions that Lambda has.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import Synchronization

extension LambdaMetrics {
  /// Data by account and region.
  typealias Data = [Place: [CloudWatch.PutMetricData.Datum]]

  /// Tells CloudWatch what has happened since it was told last.
  package func tell(_ lambda: LambdaService, _ door: Door) async {
    guard isOn else { return }
    let told = collect(lambda)
    await tell(told.data, "AWS/Lambda", lambda, door)
    await tell(told.use, LambdaMetrics.useSpace, lambda, door)
    await tell(collectReasons(), "Martlet/Lambda", lambda, door)
  }

  private func tell(_ data: Data, _ space: String, _ lambda: LambdaService, _ door: Door) async {
    for (place, data) in data {
      for start in stride(from: 0, to: data.count, by: LambdaMetrics.most) {
        let part = Array(data[start..<min(data.count, start + LambdaMetrics.most)])
        let call = Call(
          requestID: RequestID(from: world), place: place, caller: .service("lambda.amazonaws.com"), host: "localhost",
          traceHeader: nil)
        do throws(AWSError) {
          _ = try await door.call(CloudWatch.PutMetricData.self, .init(space: space, data: part), call)
        } catch {
          lambda.log.error("metrics were not taken", metadata: ["error": "\(error.note ?? error.message)"])
        }
      }
    }
  }

  private static let most = 1000

  private func collect(_ lambda: LambdaService) -> (data: Data, use: Data) {
    var (data, use): (Data, Data) = ([:], [:])
    let now = world.now()
    collectInvocations(lambda, now, &data, &use)
    addProvisioned(lambda, now, &use)
    collectEvents(&data)
    collectMappings(lambda, now, &data)
    return (data, use)
  }

  // MARK: - Invocations

  private func collectInvocations(
    _ lambda: LambdaService, _ now: Timestamp, _ data: inout Data, _ use: inout Data
  ) {
    var (running, unreserved): ([Place: Int], [Place: Int]) = ([:], [:])
    var functions: [FunctionKey: Int] = [:]
    for load in lambda.line.placement.takeLoads() {
      let key = FunctionKey(place: load.version.place, name: load.version.name)
      let record = lambda.functions.find(key)
      for entry in load.entries { add(entry, of: load.version, record, &data) }
      for late in load.late { add(late, of: load.version, record, &data) }
      if load.use.requests > 0 { add(load.use, of: load.version, &use) }
      if load.peak > 0 { functions[key, default: 0] += load.peak }
      if load.provisioned > 0 { addProvisioned(load, record, now, &data) }
    }
    for (key, peak) in functions {
      running[key.place, default: 0] += peak
      if lambda.functions.find(key)?.reserved == nil { unreserved[key.place, default: 0] += peak }
      for dimensions in LambdaMetrics.dimensions(FunctionReference(key: key, qualifier: nil)) where !dimensions.isEmpty
      {
        data[key.place, default: []].append(
          .init("ConcurrentExecutions", dimensions, at: now, .one(Double(peak)), unit: "Count"))
      }
    }
    for (place, peak) in running {
      data[place, default: []].append(.init("ConcurrentExecutions", [], at: now, .one(Double(peak)), unit: "Count"))
      data[place, default: []].append(
        .init(
          "ClaimedAccountConcurrency", [], at: now, .one(claimed(lambda, place, unreserved[place] ?? 0)), unit: "Count")
      )
    }
    for (place, peak) in unreserved {
      data[place, default: []].append(
        .init("UnreservedConcurrentExecutions", [], at: now, .one(Double(peak)), unit: "Count"))
    }
  }

  /// What is not there for functions on demand: what is set aside, and what they use.
  private func claimed(_ lambda: LambdaService, _ place: Place, _ unreserved: Int) -> Double {
    Double(lambda.functions.figures(place).setAside + unreserved)
  }

  private func add(
    _ entry: InvocationTally.Entry, of version: FunctionConfiguration, _ record: FunctionRecord?, _ data: inout Data
  ) {
    let function = FunctionReference(key: .init(place: version.place, name: version.name), qualifier: entry.qualifier)
    let values = entry.durations.values
    let spilled =
      record.map { !$0.provisioned.isEmpty && $0.isProvisioned(version.version) } == true
      ? entry.invocations - entry.provisioned : 0
    let counts = Counts(
      invocations: entry.invocations, errors: entry.errors, provisioned: entry.provisioned, spilled: spilled,
      milliseconds: values.map { ($0.value / 1e6, $0.count) })
    add(counts, of: function, version.version, at: entry.since, record, &data)
    state.withLock { state in
      var totals = state.totals[function.key] ?? Totals()
      totals.invocations += entry.invocations
      totals.errors += entry.errors
      totals.coldStarts += entry.cold
      totals.duration += entry.durations.sum
      for (value, count) in values { totals.note(Int(count), nanoseconds: value) }
      state.totals[function.key] = totals
    }
  }

  private func add(
    _ late: InvocationTally.Late, of version: FunctionConfiguration, _ record: FunctionRecord?, _ data: inout Data
  ) {
    var entry = InvocationTally.Entry(qualifier: late.qualifier)
    entry.since = late.began
    entry.invocations = 1
    entry.errors = late.hasFailed ? 1 : 0
    entry.provisioned = late.isProvisioned ? 1 : 0
    entry.cold = late.isCold ? 1 : 0
    entry.durations.add(late.nanoseconds)
    add(entry, of: version, record, &data)
  }

  /// The figures of one name.
  private struct Counts {
    let invocations: Int
    let errors: Int
    let provisioned: Int
    let spilled: Int
    let milliseconds: [(value: Double, count: Double)]
  }

  private func add(
    _ counts: Counts, of function: FunctionReference, _ version: VersionName, at moment: Timestamp,
    _ record: FunctionRecord?, _ data: inout Data
  ) {
    let ok = Double(counts.invocations)
    // One value for each invocation, as AWS has it: the number of them is the count of the samples.
    let errors: [(value: Double, count: Double)] = [
      (1, Double(counts.errors)), (0, ok - Double(counts.errors)),
    ].filter { $0.count > 0 }
    var figures: [CloudWatch.PutMetricData.Datum] = []
    for dimensions in LambdaMetrics.dimensions(
      function, executed: record?.aliases[function.qualifier ?? ""] == nil ? nil : version)
    {
      figures.append(.init("Invocations", dimensions, at: moment, .many([(1, ok)]), unit: "Count"))
      figures.append(.init("Errors", dimensions, at: moment, .many(errors), unit: "Count"))
      figures.append(.init("Duration", dimensions, at: moment, .many(counts.milliseconds), unit: "Milliseconds"))
      if counts.provisioned > 0 {
        figures.append(
          .init(
            "ProvisionedConcurrencyInvocations", dimensions, at: moment, .many([(1, Double(counts.provisioned))]),
            unit: "Count"))
      }
      if counts.spilled > 0 {
        figures.append(
          .init(
            "ProvisionedConcurrencySpilloverInvocations", dimensions, at: moment, .many([(1, Double(counts.spilled))]),
            unit: "Count"))
      }
    }
    data[function.key.place, default: []] += figures
  }

  private func addProvisioned(
    _ load: EnvironmentPool.Load, _ record: FunctionRecord?, _ now: Timestamp, _ data: inout Data
  ) {
    let key = FunctionKey(place: load.version.place, name: load.version.name)
    guard let record else { return }
    for qualifier in record.provisioned.keys.sorted()
    where record.provisionedVersion(qualifier)?.version == load.version.version {
      for dimensions in LambdaMetrics.dimensions(FunctionReference(key: key, qualifier: qualifier))
      where dimensions.count != 0 {
        data[key.place, default: []] += [
          .init(
            "ProvisionedConcurrentExecutions", dimensions, at: now, .one(Double(load.provisionedPeak)), unit: "Count"),
          .init(
            "ProvisionedConcurrencyUtilization", dimensions, at: now,
            .one(Double(load.provisionedPeak) / Double(load.provisioned)), unit: "None"),
        ]
      }
    }
  }

  // MARK: - Reasons

  /// By reason, and by function and reason.
  private func collectReasons() -> Data {
    let cells = state.withLock { state in
      defer { state.reasons = [:] }
      return state.reasons
    }
    var data: Data = [:]
    for (cell, count) in cells {
      let reason = CloudWatch.Dimension("Reason", cell.decision.reason)
      for dimensions in [[reason], [CloudWatch.Dimension("FunctionName", cell.function.name), reason]] {
        data[cell.function.place, default: []].append(
          .init(
            cell.decision.isThrottle ? "Throttles" : "ColdStarts", dimensions,
            at: Timestamp(milliseconds: cell.minute * 60_000), .many([(1, Double(count))]), unit: "Count"))
      }
    }
    return data
  }

  // MARK: - What is rarer

  private func collectEvents(_ data: inout Data) {
    let cells = state.withLock { state in
      defer { state.cells = [:] }
      return state.cells
    }
    for (cell, values) in cells {
      let list = values.map { (value: $0.key, count: $0.value) }
      let unit = cell.event.isTime ? "Milliseconds" : "Count"
      for dimensions in LambdaMetrics.dimensions(cell.function) {
        data[cell.function.key.place, default: []].append(
          .init(
            cell.event.rawValue, dimensions, at: Timestamp(milliseconds: cell.minute * 60_000), .many(list), unit: unit)
        )
      }
    }
  }

  /// Of event source mappings that want it (`EventCount`).
  private func collectMappings(_ lambda: LambdaService, _ now: Timestamp, _ data: inout Data) {
    var known: [ResourceKey: Poller.Counts] = [:]
    for (key, poller) in lambda.pollers.all {
      let counts = poller.counts
      known[key] = counts
      let before = state.withLock { $0.mappings[key] } ?? Poller.Counts()
      let settings = lambda.resources.eventSourceMappings.find(key)?.settings
      guard settings?["MetricsConfig"]?["Metrics"]?.array?.contains(.string("EventCount")) == true else { continue }
      let dimensions = [CloudWatch.Dimension("EventSourceMappingUUID", key.name)]
      for (name, count) in [
        ("PolledEventCount", counts.polled - before.polled),
        ("FilteredOutEventCount", counts.filteredOut - before.filteredOut),
        ("InvokedEventCount", counts.invoked - before.invoked),
        ("FailedInvokeEventCount", counts.failedInvoke - before.failedInvoke),
        ("DeletedEventCount", counts.deleted - before.deleted),
      ] where count > 0 {
        data[key.place, default: []].append(.init(name, dimensions, at: now, .one(Double(count)), unit: "Count"))
      }
    }
    state.withLock { [known] in $0.mappings = known }
  }

  // MARK: - Dimensions

  /// The account; the function; what was named of it; and through an alias, the version that ran.
  static func dimensions(_ function: FunctionReference, executed: VersionName? = nil) -> [[CloudWatch.Dimension]] {
    let name = CloudWatch.Dimension("FunctionName", function.key.name)
    let resource = CloudWatch.Dimension(
      "Resource", function.qualifier.map { "\(function.key.name):\($0)" } ?? function.key.name)
    let all = [[], [name], [name, resource]]
    guard let executed else { return all }
    return all + [[CloudWatch.Dimension("ExecutedVersion", executed.description), name, resource]]
  }
}

extension FunctionRecord {
  /// True if some environments of a version are kept.
  fileprivate func isProvisioned(_ version: VersionName) -> Bool {
    provisioned.keys.contains { provisionedVersion($0)?.version == version }
  }
}
