// From events to metrics: what metric filters count, and what programs wrote in the embedded metric format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Synchronization

extension LogsService {
  private typealias Data = [String: [CloudWatch.PutMetricData.Datum]]

  /// Tells CloudWatch of the metrics in events that were written.
  func tellMetrics(_ written: [(LogStream, LogBatch)], of group: LogGroup) async {
    var data: Data = [:]
    for (_, batch) in written {
      let isMarked = batch.records.withUnsafeReadableBytes { EmbeddedMetrics.mark.find(in: $0) != nil }
      guard isMarked else { continue }
      batch.visit { _, text in
        guard text.withUnsafeReadableBytes({ EmbeddedMetrics.mark.find(in: $0) != nil }) else { return }
        for (space, datum) in EmbeddedMetrics(String(buffer: text))?.data ?? [] {
          data[space, default: []].append(datum)
        }
      }
    }
    for filter in group.metricFilters { count(written, filter, group, &data) }
    guard !data.isEmpty, door.isOffered(CloudWatch.PutMetricData.self) else { return }
    let now = world.now()
    let call = Call(
      requestID: RequestID(from: world), place: group.key.place, caller: .service("logs.amazonaws.com"), host: "",
      traceHeader: nil)
    for (space, list) in data {
      // What is too old or too new for CloudWatch is passed over.
      let timely = list.filter { datum in
        guard let time = datum.timestamp else { return true }
        return time >= now + .seconds(-14 * 86_400) && time <= now + .seconds(7_200)
      }
      guard !timely.isEmpty else { continue }
      do throws(AWSError) {
        _ = try await door.call(CloudWatch.PutMetricData.self, .init(space: space, data: timely), call)
      } catch {
        log.notice(
          "metrics of a log were not taken", metadata: ["group": "\(group.key.name)", "why": "\(error.message)"])
      }
    }
  }

  private func count(
    _ written: [(LogStream, LogBatch)], _ filter: MetricFilter, _ group: LogGroup, _ data: inout Data
  ) {
    guard let pattern = try? FilterPattern(filter.pattern), let transformation = filter.transformation else { return }
    var found: [CloudWatch.PutMetricData.Datum] = []
    for (_, batch) in written {
      batch.visit { time, text in
        let text = String(buffer: text)
        guard let extracted = pattern.extract(text) else { return }
        let moment = Timestamp(milliseconds: time)
        if let datum = transformation.datum(text, extracted, at: moment) { found.append(datum) }
      }
    }
    // Of a minute with events and without matches there is the usual value, once.
    if found.isEmpty, let usual = transformation.usual, transformation.dimensions.isEmpty {
      let minute = world.now().seconds / 60
      let isNew = usualMinutes.withLock { minutes in
        let name = "\(group.store)/\(filter.name)"
        defer { minutes[name] = minute }
        return minutes[name] != minute
      }
      if isNew { found = [.init(transformation.name, [], .one(usual), unit: transformation.unit)] }
    }
    if !found.isEmpty { data[transformation.space, default: []] += found }
  }
}
