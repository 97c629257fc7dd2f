// Tells CloudWatch what AWS would charge for, in a namespace of Martlet's own: docs/cost.md.
import MartletCore
import MartletWire
import Synchronization

extension LambdaMetrics {
  /// Where `martlet cost` finds it.
  package static let useSpace = "Martlet/Cost"

  /// What the environments of one version have done.
  func add(_ use: BilledUse, of version: FunctionConfiguration, _ data: inout Data) {
    let key = FunctionKey(place: version.place, name: version.name)
    var figures: [(Use, Int64)] = [(.requests, Int64(use.requests))]
    // The instances of a capacity provider are paid for by the hour.
    if version.environmentConcurrency == nil {
      let (onDemand, provisioned) = (Int64(use.onDemand), Int64(use.provisioned))
      let memory = Int64(version.memorySize)
      figures += [
        (.billedDuration, onDemand + provisioned), (.onDemand, onDemand * memory),
        (.provisionedDuration, provisioned * memory),
        (.storage, (onDemand + provisioned) * Int64(max(0, version.ephemeralStorage - 512))),
      ]
    }
    figures.append((.streamed, Int64(use.streamed)))
    add(figures, of: key, version.architectures.first ?? "x86_64", at: use.since, &data)
  }

  /// What is kept ready.
  func addProvisioned(_ lambda: LambdaService, _ now: Timestamp, _ data: inout Data) {
    var architectures: [ProvisionedMeter.Key: String] = [:]
    var levels: [ProvisionedMeter.Level] = []
    for record in lambda.functions.all where !record.provisioned.isEmpty {
      for (qualifier, config) in record.provisioned {
        guard let version = record.provisionedVersion(qualifier) else { continue }
        let key = ProvisionedMeter.Key(function: record.key, qualifier: qualifier)
        architectures[key] = version.architectures.first
        levels.append(
          .init(key: key, mebibytes: Int64(config.requested * version.memorySize), since: config.lastModified))
      }
    }
    let charges = state.withLock { [levels] in $0.provisionedMeter.read(levels, now: now) }
    for (key, charge) in charges {
      add([(.provisioned, charge)], of: key.function, architectures[key] ?? "x86_64", at: now, &data)
    }
  }

  /// By the architecture, which prices depend on, of the function and of the account.
  private func add(
    _ figures: [(name: Use, value: Int64)], of function: FunctionKey, _ architecture: String, at moment: Timestamp,
    _ data: inout Data
  ) {
    let architecture = CloudWatch.Dimension("Architecture", architecture)
    for figure in figures where figure.value > 0 {
      // A sum alone: what it is made of is nobody's question, and would take room.
      let value = Double(figure.value)
      let sum = CloudWatch.PutMetricData.Datum.Values.set(count: 1, sum: value, minimum: 0, maximum: value)
      for dimensions in [[architecture], [architecture, CloudWatch.Dimension("FunctionName", function.name)]] {
        data[function.place, default: []].append(
          .init(figure.name.rawValue, dimensions, at: moment, sum, unit: figure.name.unit))
      }
    }
  }

  /// What is charged for. Mebibytes are multiplied with milliseconds, so that sums are whole numbers.
  package enum Use: String, Sendable, CaseIterable {
    case requests = "Requests"
    /// Information only.
    case billedDuration = "BilledDuration"
    case onDemand = "OnDemandMegabyteMilliseconds"
    /// Invocations in environments of provisioned concurrency.
    case provisionedDuration = "ProvisionedDurationMegabyteMilliseconds"
    /// The environments themselves, by five minutes.
    case provisioned = "ProvisionedConcurrencyMegabyteMilliseconds"
    /// Of /tmp, beyond 512 MB.
    case storage = "StorageMegabyteMilliseconds"
    /// Beyond what is free of each answer.
    case streamed = "StreamedBytes"

    var unit: String {
      switch self {
      case .requests: "Count"
      case .billedDuration: "Milliseconds"
      case .streamed: "Bytes"
      case .onDemand, .provisionedDuration, .provisioned, .storage: "None"
      }
    }
  }
}
