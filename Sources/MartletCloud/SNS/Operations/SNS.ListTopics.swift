// ListTopics: the topics of an account and region, in the order of their names.
// https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum ListTopics: Operation {
    static let route = Route.query("SNS.ListTopics")

    struct Input: Readable {
      let token: String?

      init(_ r: Reader) throws(AWSError) { token = try r.body().text("NextToken") }
    }

    struct Output: Writable {
      let arns: [String]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Topics", arns) { $0.member("TopicArn", $1) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      let (names, token) = try SNSPage.cut(sns.topics.names(call.place), input.token) { $0 }
      return Output(arns: names.map { SNSTopic.arn(ResourceKey(place: call.place, name: $0)) }, token: token)
    }
  }
}
