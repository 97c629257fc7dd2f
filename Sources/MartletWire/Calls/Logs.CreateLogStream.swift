// The face of CloudWatch Logs' CreateLogStream, which EventBridge calls for rules whose target is a log group.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
import MartletCore

extension Logs {
  package enum CreateLogStream: Shape {
    package static let route = Route.target("Logs.CreateLogStream")

    package struct Input: Readable, Sendable {
      package let group: String
      package let stream: String

      package init(group: String, stream: String) {
        self.group = group
        self.stream = stream
      }

      package init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        group = m.logGroup()
        stream = m.logStream()
      }
    }

    package typealias Output = Empty
  }
}
