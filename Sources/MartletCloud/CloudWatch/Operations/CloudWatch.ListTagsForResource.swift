// ListTagsForResource: the tags of an alarm.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListTagsForResource.html
import MartletCore
import MartletWire

extension CloudWatch {
  enum ListTagsForResource: Operation {
    static let route = Route.target("CloudWatch.ListTagsForResource")

    struct Input: Readable {
      let arn: String

      init(_ r: Reader) throws(AWSError) { arn = try r.body().required("ResourceARN", .length(1, 1024)) }
    }

    struct Output: Writable {
      let tags: [MetricAlarm.Tag]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Tags", tags) { w, tag in
            w.member("Key", tag.key)
            w.member("Value", tag.value)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      Output(tags: try cloudWatch.alarm(input.arn).tags)
    }
  }
}
