// ListPolicyTags: the tags of a managed policy.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html
import MartletCore
import MartletWire

extension IAM {
  enum ListPolicyTags: Operation {
    static let route = Route.query("IAM.ListPolicyTags")

    struct Input: Readable {
      let arn: String
      let page: IAMPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        arn = m.policyARN()
        page = IAMPage(m)
      }
    }

    typealias Output = IAMList<IAMTag>

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try IAMService.tags(of: try iam.policy(input.arn, call), input.page)
    }
  }
}
