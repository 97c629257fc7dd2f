// PutMetricData: values of metrics.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
import MartletCore
import MartletWire

extension CloudWatch.PutMetricData: Operation {
  package static func answer(
    _ input: Input, _ call: Call, _ cloudWatch: CloudWatchService
  ) async throws(AWSError) -> Empty {
    // What services of this server tell may be from before the clock was moved.
    if case .service = call.caller {} else { try check(input, at: cloudWatch.world.now()) }
    cloudWatch.metrics.add(input.data, space: input.space, call.place)
    cloudWatch.export?.took(input.data, space: input.space, call.place)
    return Empty()
  }

  private static func check(_ input: Input, at now: Timestamp) throws(AWSError) {
    if input.space.hasPrefix("AWS/") {
      throw .cloudWatchInvalid("The value AWS/ for parameter Namespace is invalid.")
    }
    for (index, datum) in input.data.enumerated() {
      guard let time = datum.timestamp, time < now + .seconds(-14 * 86400) || time > now + .seconds(2 * 3600) else {
        continue
      }
      throw .cloudWatchInvalid(
        "The parameter MetricData.member.\(index + 1).Timestamp must specify a time no more than two weeks in the past "
          + "and no more than two hours in the future.")
    }
  }
}
