// GetMetricStatistics: one metric, in pieces of a period.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
import MartletCore
import MartletWire

extension CloudWatch {
  static let statistics = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]

  enum GetMetricStatistics: Operation {
    static let route = Route.target("CloudWatch.GetMetricStatistics")
    private static let most = 1440

    struct Input: Readable {
      let metric: MetricIdentity
      let span: MetricSpan
      let statistics: [String]
      let extended: [String]
      let unit: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        metric = MetricIdentity(
          space: m.required("Namespace", .length(1, 255), CloudWatch.spacePattern),
          name: m.required("MetricName", .length(1, 255)), dimensions: m.dimensions("Dimensions"))
        span = MetricSpan(m, period: m.requiredInteger("Period", in: 1...Int.max))
        statistics = m.strings("Statistics", count: 1...5, each: [.oneOf(CloudWatch.statistics)]) ?? []
        extended = m.strings("ExtendedStatistics", count: 1...10) ?? []
        unit = m.string("Unit", .oneOf(CloudWatch.units))
        if statistics.isEmpty == extended.isEmpty {
          m.refuse(.cloudWatchCombination("Must specify either Statistics or ExtendedStatistics"))
        }
        if !MetricQuery.isPeriod(span.period) { m.refuse(.cloudWatchPeriod()) }
        for name in extended where MetricStatistic(name) == nil {
          m.refuse(.cloudWatchInvalid("The value \(name) for parameter ExtendedStatistics.member.1 is not supported."))
        }
        if span.pieces > most {
          m.refuse(
            .cloudWatchCombination(
              "You have requested up to \(CloudWatch.grouped(span.pieces)) datapoints, which exceeds the limit of "
                + "\(CloudWatch.grouped(most)). You may reduce the datapoints requested by increasing Period, or "
                + "decreasing the time range."))
        }
      }
    }

    struct Output: Writable {
      let label: String
      let points: MetricStore.Points
      let statistics: [String]
      let extended: [String]

      func write(to w: inout Writer) {
        w.body { w in
          w.member("Label", label)
          w.list("Datapoints", points.values) { w, point in
            w.moment("Timestamp", Timestamp(milliseconds: point.start * 1000))
            for name in CloudWatch.statistics where statistics.contains(name) {
              w.member(name, MetricStatistic(name).flatMap { point.values.statistic($0) })
            }
            w.member("Unit", points.unit)
            let numbers = extended.compactMap { name in
              MetricStatistic(name).flatMap { point.values.statistic($0) }.map { (key: name, value: $0) }
            }
            if !numbers.isEmpty { w.member("ExtendedStatistics", numbers) }
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      await cloudWatch.metrics.written()
      let span = input.span.rounded(now: cloudWatch.world.now().seconds)
      do throws(Fault) {
        let points = try await cloudWatch.metrics.values(
          of: input.metric.at(call.place), unit: input.unit, period: span.period, from: span.start, to: span.end)
        return Output(label: input.metric.name, points: points, statistics: input.statistics, extended: input.extended)
      } catch {
        throw .service("\(error)")
      }
    }
  }

  /// `1,440`
  static func grouped(_ number: Int) -> String {
    var text = String(number)
    var position = text.count - 3
    while position > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: position))
      position -= 3
    }
    return text
  }
}
