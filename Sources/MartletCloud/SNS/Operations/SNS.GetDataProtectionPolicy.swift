// GetDataProtectionPolicy: the data protection policy of a topic: none, as none can be put.
// https://docs.aws.amazon.com/sns/latest/api/API_GetDataProtectionPolicy.html
import MartletCore
import MartletStore
import MartletWire

extension SNS {
  enum GetDataProtectionPolicy: Operation {
    static let route = Route.query("SNS.GetDataProtectionPolicy")

    struct Input: Readable {
      let topic: String

      init(_ r: Reader) throws(AWSError) { topic = try r.body().required("ResourceArn") }
    }

    struct Output: Writable {
      func write(to w: inout Writer) { w.body { $0.member("DataProtectionPolicy", "") } }
    }

    static func answer(_ input: Input, _ call: Call, _ sns: SNSService) async throws(AWSError) -> Output {
      _ = try sns.topic(input.topic, call, "GetDataProtectionPolicy", parameter: "ResourceArn")
      return Output()
    }
  }
}
