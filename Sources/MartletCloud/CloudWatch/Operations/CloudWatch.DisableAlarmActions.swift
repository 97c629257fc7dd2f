// DisableAlarmActions: whether the actions of alarms are taken. Names that nobody has are passed over.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html
import MartletCore
import MartletWire

extension CloudWatch {
  enum DisableAlarmActions: Operation {
    static let route = Route.target("CloudWatch.DisableAlarmActions")

    struct Input: Readable {
      let names: [String]

      init(_ r: Reader) throws(AWSError) {
        names = try r.body().requiredStrings("AlarmNames", count: 0...100, each: [.length(1, 255)])
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Empty {
      try await cloudWatch.enableActions(of: input.names, false, call.place)
      return Empty()
    }
  }
}
