// TagResource: tags of an alarm.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
import MartletCore
import MartletStore
import MartletWire

extension CloudWatch {
  enum TagResource: Operation {
    static let route = Route.target("CloudWatch.TagResource")

    struct Input: Readable {
      let arn: String
      let tags: [MetricAlarm.Tag]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.required("ResourceARN", .length(1, 1024))
        tags = m.cloudWatchTags("Tags", isRequired: true)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      try await cloudWatch.changeTags(input.arn) { tags in
        for tag in input.tags {
          if let index = tags.firstIndex(where: { $0.key == tag.key }) { tags[index] = tag } else { tags.append(tag) }
        }
      }
      return Empty()
    }
  }
}

extension CloudWatchService {
  /// The alarm that an ARN names.
  func alarm(_ arn: String) throws(AWSError) -> MetricAlarm {
    guard let parts = ARN(arn), parts.service == "cloudwatch", let account = Account(parts.account),
      let region = Region(parts.region), parts.resource.hasPrefix("alarm:")
    else { throw .cloudWatchInvalid("Invalid ARN: \(arn)") }
    let key = ResourceKey(
      place: Place(account: account, region: region), name: String(parts.resource.dropFirst("alarm:".count)))
    guard let alarm = metricAlarms.find(key) else { throw .cloudWatchNoResource(arn) }
    return alarm
  }

  func changeTags(
    _ arn: String, _ body: @escaping @Sendable (inout [MetricAlarm.Tag]) -> Void
  ) async throws(AWSError) {
    try await metricAlarms.change(try alarm(arn).key) { (record: inout MetricAlarm?) throws(AWSError) -> Void in
      guard var alarm = record else { throw .cloudWatchNoResource(arn) }
      body(&alarm.tags)
      record = alarm
    }
  }
}
