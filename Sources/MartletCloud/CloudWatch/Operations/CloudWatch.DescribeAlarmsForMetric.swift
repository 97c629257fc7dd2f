// DescribeAlarmsForMetric: the alarms of one metric.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum DescribeAlarmsForMetric: Operation {
    static let route = Route.target("CloudWatch.DescribeAlarmsForMetric")

    struct Input: Readable {
      let metric: MetricIdentity
      let statistic: String?
      let extended: String?
      let period: Int?
      let unit: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        metric = MetricIdentity(
          space: m.required("Namespace", .length(1, 255), CloudWatch.spacePattern),
          name: m.required("MetricName", .length(1, 255)), dimensions: m.dimensions("Dimensions"))
        statistic = m.string("Statistic", .oneOf(CloudWatch.statistics))
        extended = m.string("ExtendedStatistic")
        period = m.integer("Period", in: 1...Int.max)
        unit = m.string("Unit", .oneOf(CloudWatch.units))
      }
    }

    struct Output: Writable {
      let alarms: [MetricAlarm]

      func write(to w: inout Writer) {
        w.body { $0.list("MetricAlarms", alarms) { $1.write(to: &$0) } }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      Output(
        alarms: cloudWatch.metricAlarms.list(call.place).filter { alarm in
          let settings = alarm.settings
          return settings.metric == input.metric && (input.statistic == nil || settings.statistic == input.statistic)
            && (input.extended == nil || settings.extendedStatistic == input.extended)
            && (input.period == nil || settings.period == input.period)
            && (input.unit == nil || settings.unit == input.unit)
        })
    }
  }
}
